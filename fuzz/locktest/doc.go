// Package locktest holds lock managers for trees to the rule of treelock: any that can be put behind a [Lock].
//
//	func FuzzMyLock(f *testing.F) {
//		f.Fuzz(func(t *testing.T, data []byte) { locktest.Play(t, startMyLock, data) })
//	}
//
// [Play] plays random histories, [Scenario] plays written ones. Both bring the lock to rest after each line, in a bubble of
// package [testing/synctest], and then compare what every client was told with the rule, evaluated over all pairs of
// requests. A client that was forgotten is reported as one that still waits.
//
// # What is checked
//
// At each rest, by the numbers of package internal/locktable:
//
//	I1  Exclusion: no two conflicting requests hold at once.
//	I2  A request is granted exactly if no earlier conflicting request is live. That is first in and first out,
//	    no false blocking, all or nothing, and no deadlock: the earliest of all never waits.
//	I6  A grant is received once at most, and never by who begins to receive after a withdrawal.
//	I7  Tokens grow along conflicting grants, begin where they should, and stay.
//
// Refusals and other errors have to be right as well, and for a reason: those of a limit, of a TryAcquire, while draining,
// after the end, of contexts, with their causes. So do the results of Narrow and Drain. At the end nothing may be
// live. (I3 to I5 and I8 are about the inside of a lock; package manager checks them itself, in builds with the race detector or
// the tag treelock_audit.)
//
// Not checked is the order of several calls of one goroutine, since every client is at rest between its own.
//
// # What happens at the same time
//
// Commands of one line are carried out at the same time, and arrive in an order that nobody sees. A judge
// tries all orders, and keeps all states that the lock may be in: what the clients were told must be explained by one of them.
package locktest
