// Package locktable implements the admission rule. A table holds all live requests and all nodes
// that they use.
//
// It is pure: it has no goroutine, channel, clock or context, and calls no user code. The same
// calls in the same order grant the same requests in the same order, so that a log of calls can be
// replayed. Call a [Table] from one goroutine. Package manager does, and adds only goroutines and
// channels.
//
// # The rule
//
// Requests are totally ordered by their arrival, which is the order of the calls of [Table.Submit].
// A request is live from its arrival until it is released or withdrawn.
//
//	A request is granted at the first moment when no earlier conflicting request is live.
//
// # Terminology
//
//   - A claim names a node, and has a mode there: NR, NW, TR or TW. See [waitqueue.Mode].
//
//   - A lineage is a node, its parent, and so on up to the root.
//
//   - A naming finds the parent of a node from the name of the node alone. See [Naming].
//
//   - A node use is how a request uses one node: its mode there, and whether it is admitted or
//     waits. A request has one for each node that it claims and for each ancestor of these.
//
//   - A wait is the entry of a request in the wait queue of one node. It exists while the request
//     waits.
//
//   - A claim list holds the live claims that name one node. It names the blockers of a request.
//     The queue alone decides whether there are any.
//
//   - A blocker of a request is an earlier live request that conflicts with it.
//
//   - A plan is one pass over the nodes of a request. A pass has a number, and writes it into each
//     node that it visits.
//
//   - An idle node has an empty queue. The idle list bounds how many of them the table keeps.
//
//   - A survey records all requests that are live at one moment, in several steps.
//
// The types point to each other like this:
//
//	Table -+- nodes ----> node -+- queue -----> waits at this node, in one list per mode
//	       |                    +- claims ----> claim links, in two lists
//	       |                    +- parent ----> node (a guess, to be verified)
//	       |                    +- children --> child nodes in use, in two lists
//	       |
//	       +- storage --> Request -+- uses --------> node uses: node, mode, waiting
//	                               +- waits -------> wait, with the index of its node use
//	                               +- firstClaim --> claim link, with the index of its node use
//
// # Invariants
//
// The invariants hold after every call. Comments, tests and fuzz failures cite their numbers.
// [Table.Check] checks what a table can know of itself: I2 at each node, I3 and I5 (node uses,
// entries and counts agree), I4, I8 and I9. Package model checks the rest from outside: it
// evaluates the rule over all pairs of requests.
//
//	I1  No two conflicting requests are granted at the same time.
//	I2  A request is granted exactly if no earlier conflicting request is live.
//	I3  A live request is at each node that it claims, and at each ancestor, exactly once:
//	    admitted and counted in the queue of the node, or waiting with an entry there. Each
//	    live claim is in a claim list of its node.
//	I4  The entries of a queue wait in order of arrival, mode by mode. In a claim list,
//	    admitted claims come before waiting ones.
//	I5  A request counts the nodes where it waits. It is granted if that count is 0.
//	I6  A grant is reported at most once.
//	I7  Sequence numbers grow along conflicting grants.
//	I8  A node with an empty queue is not in the table, or is in its bounded idle list.
//	I9  A node with a non-empty queue is in one of its parent's lists of children: in that
//	    of written children if a request writes the node or something below it.
//
// The queues ensure I1 to I7, each node deciding alone, because of this fact: two claims conflict
// exactly if their modes conflict at some node that is in both lineages. If one node is above the
// other, or equal, they conflict at the upper one. Otherwise their regions share no node, and they
// meet in intentions only, which never conflict.
//
// # Cost
//
// Let d be the number of distinct nodes that a request claims and of their ancestors. Submit and
// End take O(d), and O(1) for each entry that they admit, which is charged to the arrival of that
// entry. The time does not depend on the number of live requests, here or elsewhere.
//
// Narrow takes O(d) if no request has to be requeued. Otherwise it also takes O(d) and a sort for
// each later request that waits for what the narrowed request held.
package locktable
