module github.com/treelock/treelock/examples/webdav

go 1.26.0

replace (
	github.com/treelock/treelock => ../..
	github.com/treelock/treelock/manager/cluster => ../../manager/cluster
)

require (
	github.com/treelock/treelock v0.0.0-00010101000000-000000000000
	golang.org/x/net v0.61.0
	golang.org/x/sync v0.24.0
)
