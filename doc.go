// Package treelock has the words in which programs ask for locks on trees: nodes and paths, the
// requests that claim them, and the errors that come back. Package manager grants requests.
//
// A program that treats an object store as a file system, or that keeps documents of tenants or a
// configuration tree, has to hold whole subtrees still: nobody may put a file into a folder that is being
// renamed, and nobody may list one that is being written.
//
// # From a mutex to this, step by step
//
// A [sync.Mutex] around the whole tree is correct. Everybody waits for everybody: where an operation takes
// the 20 ms of a remote store, the program does fifty a second, however many clients it has.
//
// A [sync.RWMutex] lets readers share. One long write still stops all, wherever in the tree it is.
//
// A map of RWMutexes, one for each path, lets writers of different paths go on. But a folder is more than
// its path: to hold it still one would have to hold all that is below, including the names that do not
// exist yet. And two clients that take several locks in different orders wait for each other for ever;
// and the map grows with every path ever seen.
//
// Intention locks, as in databases, hold a subtree by one lock: to use a node one also leaves a mark
// at each of its ancestors, saying that something below is being read or written. Whoever wants the
// whole folder sees the marks. The cost is the depth of the node, not the size of the folder.
//
// A request takes all claims of an operation at once, /src to be read and /dst to be written, or neither. So
// nobody holds one thing while waiting for another, and there is no deadlock.
//
// Arrival order makes it fair. Requests wait only for earlier ones that they conflict with:
//
//	A request is granted at the first moment when no earlier conflicting request is live.
//
// So nobody starves, readers or writers, and nobody waits for what is not in the way.
//
// One goroutine that owns it all, the manager, needs no mutex of its own. Clients send it messages and
// wait on channels, so waiting goes with contexts and select, and a client that gives up leaves no trace.
//
// # Reading the code
//
// Begin with [Request] here, then the table of modes in package waitqueue, then run.go in package manager,
// which is the goroutine.
package treelock
