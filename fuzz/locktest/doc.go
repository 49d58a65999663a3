// Package locktest holds lock managers for trees to the rule of treelock. It tests any lock that
// can be put behind a [Lock].
//
//	func FuzzMyLock(f *testing.F) {
//		f.Fuzz(func(t *testing.T, data []byte) { locktest.Play(t, startMyLock, data) })
//	}
//
// [Play] plays random histories, [PlayHostile] random histories with nodes and contexts that
// misbehave, and [Scenario] written ones. All of them bring the lock to rest after each line of
// commands, in a bubble of package [testing/synctest]. Then they compare what every client was told
// with the rule, evaluated over all pairs of requests. A client that the lock has forgotten is
// reported as one that still waits.
//
// # What is checked
//
// At each rest, by the numbers of package internal/locktable:
//
//	I1  Exclusion: no two conflicting requests hold at once.
//	I2  A request is granted exactly if no earlier conflicting request is live. That is first in
//	    and first out, no false blocking, all or nothing, and no deadlock: the earliest request
//	    never waits.
//	I6  A grant is received at most once, and never by a client that begins to receive after a
//	    withdrawal.
//	I7  Tokens grow along conflicting grants, begin where they should, and do not change.
//
// For grants in grants: a request inside a grant is admitted by the rule among the requests there.
// Exclusion is checked between any two grants of which none is inside the other. In no state that
// explains what the clients were told is there a circle of requests that wait for one another. A
// call that is refused for a circle would close one in the state of that moment, and its error
// names the circle by the labels of the requests.
//
// Suspensions are a list in the model. What touches one of their subtrees is refused with the
// reason of one, and Suspend waits exactly while a request from outside is live there. While its
// caller holds grants, it counts in the circles. All copies of a grant mean the same hold: clients
// may use the first copy, whose token never changes.
//
// Refusals and other errors must have a reason: a limit, a TryAcquire, draining, the end of the
// lock, or a context, with its cause. So must the results of Narrow and Drain. At the end nothing
// may be live. (I3 to I5 and I8 are about the inside of a lock. Package manager checks them itself,
// in builds with the race detector or the tag treelock_audit.)
//
// The order of several calls of one goroutine is not checked, since every client is at rest between
// its own.
//
// # What happens at the same time
//
// The commands of one line are carried out at the same time, and arrive in an order that cannot be
// observed. A judge tries all orders, and keeps all states that the lock may be in. What the
// clients were told must be explained by one of them.
//
// # Terminology
//
// A harness is a lock, its clients, and the judge. A player makes commands out of a history. A
// client makes one call of the lock, by a command. A hostile client claims nodes, or has a context,
// of the tables nodeKinds and ctxKinds. The rule cannot judge it, since its nodes move. It may get
// only the outcomes that its nodes and its context call for, and other clients must not be
// affected.
package locktest
