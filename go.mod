module github.com/treelock/treelock

go 1.25.0

require github.com/google/go-cmp v0.7.0

require go.uber.org/goleak v1.3.0
