// Package waitqueue is the wait queue of one node: it knows who was admitted to the node, who
// waits for it, and decides by arrival order and mode alone.
//
// It is pure: there is no goroutine, channel, clock or context in it, and the same calls in the same
// order always give the same answers. Whoever owns a [Queue] calls it from one goroutine.
//
// # Terminology
//
// A request that claims nodes of a tree leaves an [Entry] in the queue of each node that it
// claims and, to say that it claims something further down, in the queue of each ancestor. The
// entry's [Mode] says which of these it is. A request's entries carry its sequence number, which
// orders requests by arrival. An entry is admitted if no earlier entry that conflicts is in the
// queue. A request holds its claims once all of its entries, at all of its nodes, are admitted.
//
// # How every step is O(1)
//
// The queue keeps one list of entries per mode, in order of arrival. Two facts make a scan
// over waiters unnecessary:
//
//   - Whether an entry is admissible depends only on the heads of the lists that conflict with
//     its mode: the head is the earliest, so if it came later than the entry, so did the rest.
//   - Hence within a list the admitted entries come first: what holds back an entry holds back
//     all later ones of its mode.
//
// So an arrival looks at six heads at most; the departure of an entry that is not the head of its list
// changes nothing for anybody; and the departure of a head admits a run of entries that starts at a
// place the queue remembers, one per list. The cost of that run is charged to those admitted.
package waitqueue
