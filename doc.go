// Package treelock names the requests, the nodes and the errors of a lock manager for trees;
// manager.Start starts the manager, which grants the requests.
//
// The manager is in package [github.com/treelock/treelock/manager].
//
// A program that treats an object store as a file system, or that keeps documents of tenants or a
// configuration tree, has to lock whole subtrees: no file may enter a folder that is being renamed,
// and no folder may be listed while it is being written.
//
// # From a mutex to this, step by step
//
// A [sync.Mutex] around the whole tree is correct. Every operation waits for every other: where one
// takes the 20 ms of a remote store, the program does fifty a second, however many clients it has.
//
// A [sync.RWMutex] lets readers share. One long write still stops all, wherever in the tree it is.
//
// A map of RWMutexes, one for each path, lets writers of different paths go on. But a folder is
// more than its path: to lock it, a client would have to lock all that is below, including the
// names that do not exist yet. Two clients that take several locks in different orders deadlock.
// And the map grows with every path ever seen.
//
// Intention locks, as in databases, lock a subtree by one lock. A client that locks a node also
// leaves a mark at each of its ancestors, which says that something below is being read or written.
// A client that wants the whole folder sees the marks. The cost is the depth of the node, not the
// size of the folder.
//
// A request takes all claims of an operation at once, /src to be read and /dst to be written, or
// none of them. No request holds one claim while it waits for another, so requests do not deadlock.
// A client that holds one grant while it waits for another one is refused if that would close a
// circle, as far as its context carries the grant. See [NewContext] and [Grant.Widen].
//
// Arrival order makes it fair. Requests wait only for earlier ones that they conflict with:
//
//	A request is granted at the first moment when no earlier conflicting request is live.
//
// So neither readers nor writers starve, and no request waits for one that it does not conflict
// with.
//
// One goroutine that owns it all, the manager, needs no mutex of its own. Clients send it messages
// and wait on channels, so waiting goes with contexts and select, and a client that gives up leaves
// no trace.
//
// # Terminology
//
//   - A claim is a node, a scope (the node alone, or its subtree) and an access (shared or
//     exclusive). Its region is what the scope covers.
//   - Two claims conflict if their regions share a node and at least one of them is exclusive.
//   - A request is a set of claims. It is live from its arrival at the manager until it is released
//     or withdrawn. A live request is a holder if it was granted, and a waiter if not.
//   - A grant is a request that is held. A sub-grant is a grant of a request inside another grant.
//   - A blocker of a request is an earlier live request that conflicts with it.
//
// # Reading the code
//
// Begin with [Request] here, then the table of modes in package waitqueue, then run.go in package
// manager, which is the goroutine.
package treelock
