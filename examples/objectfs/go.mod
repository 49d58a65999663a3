module github.com/treelock/treelock/examples/objectfs

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/treelock/treelock v0.0.0
	go.uber.org/goleak v1.3.0
	golang.org/x/sync v0.24.0
)

replace github.com/treelock/treelock => ../..
