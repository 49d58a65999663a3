// Package waitqueue admits requests to one node: it counts those that are admitted, queues those that
// wait, and decides by arrival order and mode alone.
//
// It is pure: there is no goroutine, channel, clock or context in it, and the same calls in the same
// order always give the same answers. Whoever owns a [Queue] calls it from one goroutine.
//
// # Terminology
//
// A request that claims nodes of a tree is at each node that it claims and, to say that it claims something
// further down, at each ancestor. How it uses a node is its [Mode] there. It is admitted to a node if no earlier
// request that conflicts is there; until then it waits, and its [Entry] is in the node's queue. Its sequence number orders
// requests by arrival. A request holds its claims once it is admitted to all of its nodes.
//
// # How every step is O(1)
//
// The queue counts those who are admitted, mode by mode, and keeps one list per mode of those who wait, in
// order of arrival. Three facts make it unnecessary to know more, or to scan:
//
//   - Whoever is admitted came before all who wait and conflict, for these would have been in the way. So an
//     arrival has to wait exactly if somebody who conflicts is there, whoever that is.
//   - Whether an entry that waits is admissible depends only on whether somebody who conflicts is admitted,
//     and on the heads of the lists that conflict: the head is the earliest, so if it came later than the entry, so
//     did the rest.
//   - Hence those of one list are admitted from its front: what holds back an entry holds back all later ones of its
//     mode.
//
// So an arrival looks at two sets; the departure of one of several in a mode, and the withdrawal of an entry that
// is not the head of its list, change nothing for anybody; and the departure of the last one in a mode, or the
// withdrawal of a head, admits a run of entries at the front of each list that conflicts. The cost of that run is
// charged to those admitted.
package waitqueue
