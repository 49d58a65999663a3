// Package cluster is package manager for several processes: all managers that are started with one
// prefix of one etcd cluster grant requests by one order.
//
// # Terminology
//
//   - The log is what etcd has below the prefix, in the order of its revisions. The keys are in
//     keys.go, and the values in values.go.
//   - A session is the part of a process in the log, from the grant of a lease until the lease is
//     lost. A process has one session at a time.
//   - The deadline of a session is when its process stops to count on the lease: a margin before
//     etcd ends it. A renewal moves the deadline.
//   - The control key of a session has the number of its last transaction that was applied.
//   - A batch is a group of new requests of one session, in one key. A request has its place in the
//     log by the revision that made the key, and by its index in the batch. The place is its token.
//   - An amendment of a batch says which of its requests have ended or were narrowed.
//   - A transaction brings a batch, and amendments of earlier ones, into the log. A session has one
//     under way at a time, and numbers them.
//   - The mirror is the lock table of a process. It is what all entries of the log make of it, in
//     their order.
//   - A peer is another session in the mirror. One that has written what no session writes is
//     fenced: all processes end its requests, and nothing else of it counts.
//   - A guard is a key that is in etcd as long as a grant is held, for transactions of the user.
//   - A revocation is a key by which a process asks the session of a request to end it.
//
// # From Acquire to a grant
//
//	caller           manager goroutine            goroutines of a session          etcd
//
//	Acquire -------> log.Propose: it is unsent
//	                 log.Flush: a batch of all
//	                 that is unsent ------------> commit: a transaction ---------> a revision
//	                 log.apply: it arrives <----- watch, in all processes <------- its event
//	grant <--------- lock table: no earlier
//	                 conflicting entry is live
//	Release -------> log.End: an amendment -----> commit, with what comes next --> a revision
//
// A request that waits sends nothing. It is granted when the mirror applies the end of the last
// earlier conflicting one.
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
// The manager goroutine owns the log, which is in memory and never waits: log.go is what a manager
// says to it, transaction.go what is sent, replay.go and peer.go what arrives, lease.go what keeps
// the session. The goroutines of a session talk to etcd (conn.go, commit.go, watch.go, keep.go),
// and hand over what they learn by steps that run on the manager goroutine. There is no mutex.
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
