// Package davlock is the table of WebDAV locks: RFC 4918, sections 6 and 7.
//
// # Terminology
//
//   - A lock is what a client gets by LOCK: a token, a root, a depth, a scope (exclusive or
//     shared), a user and a time at which it ends. It covers its root, and with depth infinity all
//     below.
//   - A change is a claim of what a method changes: a resource, or a resource and all below.
//   - A lock meets a change if the two share a resource.
//   - A pass permits a method to change what it named, for as long as the method runs.
//
// # Two trees
//
// All requests go to one lock manager, in two trees. In /run each method claims what it reads and
// changes, for as long as it runs, so that no method sees another's half. In /lock each lock is a
// grant: Write or Read for depth infinity, WriteNode or ReadNode for depth 0, by its scope. A read
// claims nothing in /lock, so it is not hindered by a lock.
//
// # Invariants
//
//   - L1 No two conflicting locks are in the table. A lock is in the table before its grant is
//     acquired, so two LOCKs that run at once see each other.
//   - L2 A lock whose Lock has returned has a grant in /lock for as long as it is in the table.
//   - L3 A method that changes a resource holds a write claim on it in /run. LOCK holds one there
//     on all that the lock covers. So no lock appears on what a method changes while it runs.
//   - L4 A pass is given only if each lock that meets a change was presented by its user. Of shared
//     locks on one resource, one is enough.
//   - L5 A pass holds a sub-grant in each presented lock that meets a change. A lock that ends
//     meanwhile, by UNLOCK or by its time, frees what the method changes only when the pass ends.
//   - L6 A lock leaves the table when its time ends, when its grant is lost, by Unlock and by Drop,
//     and releases its grant then.
//
// # Several servers
//
// Servers that share a lock manager over etcd also share a [Store], which has a record of each
// lock: token, root, depth, scope, owner, user and time. They are more than the label of a request
// holds. The server that made a lock has its grant and its timer; the others have a copy of the
// record.
//
//   - L7 A record is written before the LOCK releases its claims in /run, and a method reads all
//     records after it has acquired its own. So it knows each lock that was made before.
//   - L8 A lock whose record is gone ends, at its own server as soon as that sees it.
//
// # Ownership
//
// The goroutine of the table owns the locks. Methods of [Table] send it functions to run.
package davlock
