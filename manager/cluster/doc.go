// Package cluster is package manager for several processes: all managers that are started with one
// prefix of one etcd cluster grant requests by one order.
//
// # Terminology
//
//   - The log is what etcd has below the prefix, in the order of its revisions.
//   - A session is the part of a process in the log, from the grant of a lease until the lease is
//     lost. A process has one session at a time.
//   - A batch is a group of new requests of one session, in one key. A request has its place in the
//     log by the revision that made the key, and by its index in the batch. The place is its token.
//   - An amendment of a batch says which of its requests have ended or were narrowed.
//   - A transaction brings a batch, and amendments of earlier ones, into the log. A session has one
//     under way at a time, and numbers them.
//   - The mirror is the lock table of a process. It is what all entries of the log make of it, in
//     their order.
//
// # Ownership
//
//	goroutines of a session                            manager goroutine
//	+------------------------+   commits              +------------------------+
//	| commit: one transaction| <-[ ]----------------- | log: batches, sessions |
//	|   after the other      |                        |   of other processes   |
//	| watch: the events of   |   Mirror.Do            |                        |
//	|   the prefix           | ---------------------> | lock table             |
//	| keep: renews the lease |                        |                        |
//	+------------------------+                        +------------------------+
//
// The manager goroutine owns the log, which is in memory and never waits (log.go, replay.go). The
// goroutines of a session talk to etcd, and hand over what they learn by steps that run on the
// manager goroutine. There is no mutex.
//
// # Invariants
//
//   - C1 A request is granted only after its own entry was seen in the log, and when no earlier
//     conflicting entry is live in the mirror.
//   - C2 The mirror has the entries of the log up to its revision, without requests of this process
//     that have ended here already.
//   - C3 Transaction n+1 is sent only when transaction n is known to be applied. A transaction that
//     is sent again has the same content, and etcd applies it once.
//   - C4 No grant is made, and none counts as held, at or after the deadline of the session. That
//     lies before the moment at which etcd ends the lease.
//   - C5 When a session is lost, all its requests end in this process first.
package cluster
