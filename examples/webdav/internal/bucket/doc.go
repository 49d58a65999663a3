// Package bucket is a bucket of gocloud.dev/blob that the server serves, as a [files.System].
//
// # Terminology
//
//	key     the name of an object: "a/b" for the file /a/b
//	mark    the object "a/", of no bytes, that makes a folder /a
//	folder  a name with a mark, or with objects below
//	move    copies of objects at other keys, and then the removal of the objects
//
// # What is kept where
//
// A file is the object of its path. What clients do not see is in folders named .DAV, as in package
// files: the properties of a resource, and in that of the root what is uploaded or set aside. A
// folder that loses its last member stays, as it gets a mark first.
//
// Objects whose keys are no paths are neither shown nor changed: "a//b", "../x", and keys with a
// backslash or a control character. Nor is a folder with such objects removed or moved. Of an
// object "a" beside objects "a/b", lists show the file a; nothing is moved or copied onto it.
//
// # What is one step, and what is not
//
// A file gets its content in one step: the store copies an upload to its name. A folder does not:
// it has one object for each member. So other programs see the half of a RemoveAll, of a Rename or
// of a COPY, as do clients after a crash. The methods of this server and of those that share its
// locks do not: the locks keep them apart.
//
//   - B1 RemoveAll removes the files first and the marks last, each file after its properties. What
//     is left when it fails is shown.
//   - B2 Rename removes nothing before all is copied. If it fails, the copies go away and the
//     source is whole; if even that fails, the error is a [files.ErrHalfway], and the target is
//     whole.
//   - B3 An upload that is interrupted makes no object.
//   - B4 Content that is read is that of one object: a read that would go on in another one fails.
//
// # Several servers
//
// Servers that share locks over etcd may share a bucket. The locks keep their methods apart as long
// as each server has its lease. A server that loses it makes no further change, once it knows that.
// Nothing fences what is on its way to the store by then: buckets know no fencing tokens. So a
// server that is paused within a call of the store may end that call after others got the locks.
// The same goes for the end of a Rename: when all is copied, it removes the source whatever
// happens, and if it fails, it undoes what it did.
package bucket
