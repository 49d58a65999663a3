// Package locktable decides which requests hold: it keeps all nodes that are claimed and all requests
// that are live, and admits requests by the one rule.
//
// It is pure. It knows no goroutine, no channel, no clock and no context, calls no code of the user's,
// and is deterministic: the same calls in the same order always grant the same requests in the same
// order, so that a log of calls can be replayed elsewhere. Whoever owns a [Table] calls it from one
// goroutine: the manager of package manager does, and is only a shell around it.
//
// # The rule
//
// Requests are totally ordered by their arrival, which is the order of the calls of [Table.Submit]. A
// request is live from then until it is released or withdrawn, and
//
//	a request is granted at the first moment when no earlier conflicting request is live.
//
// # Invariants
//
// They hold after every call. Comments, tests and fuzz failures refer to them by number. [Table.Check] checks what
// the table can know of itself: I2 at each node, that places, entries and counts agree (I3, I5), I4, I8 and I9.
// The rest is checked from outside, against the rule evaluated over all pairs (package model).
//
//	I1  No two conflicting requests hold at once.
//	I2  A request is granted exactly if no earlier conflicting request is live.
//	I3  Every live claim is at its node, in the list of those who claim it, and its intention at every ancestor, and a
//	    request is there once: admitted, and counted in the node's queue, or waiting, with an entry there.
//	I4  Those that wait at a node stand in order of arrival, mode by mode, behind all who are admitted in that mode.
//	I5  A request's count of places where it waits is what a recount gives; it holds if that is 0.
//	I6  A grant is reported at most once.
//	I7  Sequence numbers grow along conflicting grants.
//	I8  A node whose queue is empty is not in the table, or is in its bounded cache of idle nodes.
//	I9  A node whose queue is not empty is in its parent's list of children in use; in that of children
//	    that are written if a request there writes it, or something below it.
//
// I1 to I7 follow from the queues of package waitqueue, one per node, each deciding alone: two claims
// conflict exactly if their modes conflict at some node on both of their ways to the root. (If one
// node lies above the other, at the upper one of the two; if they are equal, there; else they share no
// node and meet in nothing but intentions, which agree with one another.)
//
// # Cost
//
// With d the number of distinct nodes that a request claims and of their ancestors: Submit and End
// take O(d), and O(1) more for each entry that they admit, which was paid for by its arrival.
// Nothing depends on how many requests are live, here or elsewhere, or wait for the same node. Narrow
// takes O(d) when nobody has passed one of the new nodes who conflicts there. Else it takes O(d) more, and a sort,
// for each request that waits where the narrowed one was for something further down: those that passed a new node
// now wait at it.
package locktable
