// Package waitqueue admits requests to one node of a tree: it counts admitted requests, queues
// waiting ones, and decides by arrival order and mode alone.
//
// It is pure: it has no goroutine, channel, clock or context. The same calls in the same order
// always give the same answers. Call a [Queue] from one goroutine.
//
// # Terminology
//
//   - A request uses each node that it claims and, by an intention, each ancestor of these. How it
//     uses a node is its [Mode] there.
//
//   - Two requests conflict at a node if their modes there conflict.
//
//   - A request is admitted to a node if no earlier conflicting request is there. Otherwise it
//     waits, and its [Entry] is in the queue.
//
//   - A sequence number orders requests by arrival.
//
//   - A request is granted when it is admitted to all of its nodes. Package internal/locktable
//     decides that.
//
//   - A widening asks for another mode while its grant is admitted at the node in the held mode.
//
// A queue has this layout:
//
//	Queue -+- counts --> admitted requests, a number for each mode
//	       |
//	       +- lists ---> IR: nil
//	                     ...
//	                     TW: head Entry <--> Entry <--> ... (circular, in order of arrival)
//	                     more: groups --> TR to TW: head Entry <--> ... --> next group
//
// # Why every step is O(1)
//
// The queue counts admitted requests by mode, and has one list of waiting entries for each mode.
// Without widenings three facts make scans unnecessary:
//
//   - An admitted request is earlier than every waiting entry that conflicts with it: a later one
//     would have had to wait for that entry. So an arrival has to wait exactly if any conflicting
//     request is there.
//   - A waiting entry is admissible if no conflicting request is admitted and no head of a
//     conflicting list is earlier. The head is the earliest of its list, so the rest need no look.
//   - Hence the entries of one list are admitted from its front: what blocks an entry blocks all
//     later entries of the same mode.
//
// So an arrival compares two sets of modes. A departure that is not the last in its mode admits no
// entry, and neither does the withdrawal of an entry that is not a head. The last departure in a
// mode, or the withdrawal of a head, admits a run at the front of each conflicting list. The cost
// of that run is charged to the arrivals of its entries.
//
// # Widenings
//
// A widening does not wait for its own grant, and it passes an entry that conflicts with the held
// mode. That entry waits for the grant here, so it cannot be admitted before the grant is gone.
// Otherwise a widening is an entry like the others, in the order of its own arrival. So what it
// waits for depends on its held and its wanted mode alone. Hence the widenings with the same pair
// of modes are in a group, a list of their own, and the second and third fact hold for groups as
// for lists. The first does not: an admitted widening may be later than an entry that it passed,
// but that entry waits for its grant. The number of groups is bounded by that of pairs.
//
//   - In the list of the wanted mode a widening would wait behind an entry that waits for its
//     grant. At the front of that list it would break the order of the others.
//   - One admitted request in the held mode is the grant itself. So a departure that leaves one
//     request in a mode may admit a widening, too.
//   - An admitted widening counts as one more request. Its grant and it become one in the combined
//     mode (see [Queue.Widened]), which admits no entry.
package waitqueue
