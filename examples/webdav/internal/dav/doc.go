// Package dav is a WebDAV server, class 1, 2 and 3, in which no operation sees another's half.
//
// Files and properties are those of a [webdav.FileSystem]; golang.org/x/net/webdav moves, copies
// and deletes them. Locks and If headers are not its own: package davlock has the locks, and each
// method claims what it reads and changes in one request of a lock manager.
//
// # What a method claims while it runs
//
//	GET, HEAD          ReadNode of the file, until it is open
//	PROPFIND depth 0   ReadNode of the resource
//	PROPFIND depth 1   ReadNode of the folder
//	PUT, MKCOL         Write of the resource, WriteNode of its parent
//	PROPPATCH          WriteNode of the resource
//	DELETE             Write of the resource, WriteNode of its parent
//	COPY               Read of the source, Write of the target, WriteNode of its parent
//	MOVE               Write of both, WriteNode of both parents
//	LOCK               Write or WriteNode of what it covers; as PUT, if it makes a file
//
// # Invariants
//
//   - D1 A method looks at files, conditions and locks only while it holds its claims. A PROPFIND
//     of depth 1 looks at each member without one, so two members may be shown as of two moments.
//   - D2 No claim is held while a client sends or reads: bodies are read before, answers are
//     written after. PUT replaces a file in one step, so an open file stays as it is for a reader.
//   - D3 A method changes nothing before all its conditions hold and all locks permit it. So what
//     is refused has changed nothing.
//   - D4 Each method that ends, by whatever answer or panic, holds nothing.
package dav
