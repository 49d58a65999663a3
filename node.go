package treelock

// Node is what a lock manager must know of a tree's nodes: any comparable type that knows its
// parent. [Path] is one; a struct of ids or a pointer to a folder can be another.
//
// Parent returns the node directly above and true, or false at a root. Distinct roots are distinct
// trees. For as long as a request claims a node, waiting or granted, the node's chain of parents
// must not change. The chain is walked once, when the request is submitted, on the goroutine that
// submits it: the request goes on to mean the place where the node was then. (To move a folder
// while requests may be waiting for something in it, let nodes be names, as a [Path] is.) A Parent
// that is slow, panics or runs in a circle harms its own caller only.
//
// Two values name one node exactly if they are equal (==). A value that is not equal to itself
// (a NaN inside) or that cannot be compared (an interface that holds a slice) is refused with
// [ErrIncomparable].
//
// Errors, snapshots and logs name a node by its String method, or by its value if it is a string, a
// number or a boolean, or by its MarshalText method, whichever it has first. String and MarshalText
// must be safe while another request holds the node: they run on the goroutine that formats the
// error. Other nodes are named by type and address, or by their fields, and nothing that they point
// to is read. If N is an interface type, a value is named with its type, as in main.user(7).
type Node[N any] interface {
	comparable
	Parent() (parent N, ok bool)
}
