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
//     waits. A request has one for each node that it claims and for each ancestor of these. A
//     [NodeMode] is what a caller sees of it from the request, a [NodeUse] from the node.
//
//   - A wait is the entry of a request in the wait queue of one node. It exists while the request
//     waits.
//
//   - A claim list holds the live claims that name one node. It names the blockers of a request.
//     The queue alone decides whether there are any.
//
//   - A blocker of a request is a live request that it waits for. Its number is smaller: otherwise
//     it would have had to wait itself.
//
//   - A widening is a request for what a granted request is to hold in addition. While it waits the
//     two are partners, and count as one request in a circle.
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
//	Table -+- nodes ----> node -+- queue -----> waits at this node, in one list per mode, and
//	       |                    |               in one group per pair of modes for widenings
//	       |                    +- claims ----> claim links, in two lists
//	       |                    +- parent ----> node (a guess, to be verified)
//	       |                    +- children --> child nodes in use, in two lists
//	       |
//	       +- storage --> Request -+- partner -----> its widening, or the grant that it widens
//	                               +- uses --------> node uses: node, mode, waiting
//	                               +- waits -------> wait, with the index of its node use
//	                               +- firstClaim --> claim link, with the index of its node use
//	                               +- moreClaims --> claim links of the other claims
//
// # Widening
//
// A granted request may widen: [Table.Widen] asks for more while it keeps what it holds. What it
// asks for takes a place in the order of its own, at the moment of the call. Claims that conflict
// meet at one node, the upper one of the two that they name. With that, the rule is
//
//	a waits for b at a node if something that a asks for conflicts there with something that
//	    (1) b holds, in whatever order they came, or
//	    (2) b asks for, at an earlier place; unless a is a widening and something that its
//	        grant holds conflicts there with something that b asks for.
//	What is asked for is granted at the first moment when it waits for nothing.
//
// The exception is safe: b waits there for the grant itself, so it loses nothing. A grant that
// reads a subtree counts, for the exception, as reading the nodes on the way to each claim that it
// adds, with all below them. A request that never widens is never affected by (1): what conflicts
// with it and is granted came earlier.
//
// A queue decides the exception by modes, as a request has one mode at a node. A widening passes
// those that wait in a mode that conflicts with the mode of its grant there. So
//
//   - a widening has a node use, with that mode, where its grant has one (I10). It waits in a group
//     of its own for each such pair of modes, and does not wait for the count of its grant;
//   - where the mode of the grant covers what it asks for, it has no node use: the grant itself
//     keeps out what conflicts;
//   - elsewhere it waits as a new request does;
//   - when it is granted, the two uses of a node become one, in the combined mode.
//
// # Circles
//
// A request that waits while its caller holds another one can close a circle of requests that wait
// for one another. Only a widening does so by itself, as every other request waits for smaller
// numbers. [Table.Circle] finds exactly the circles that there are, without an index (I11).
// [Table.CircleTo] does so for a caller that waits for others without a request of its own.
//
// # Invariants
//
// The invariants hold after every call. Comments, tests and fuzz failures cite their numbers.
// [Table.Check] checks what a table can know of itself: I2 at each node, I3 and I5 (node uses,
// entries and counts agree), I4, I8, I9 and I10. Package model checks the rest from outside: it
// evaluates the rule over all pairs of requests, claim by claim.
//
//	I1   No two conflicting requests are granted at the same time.
//	I2   A request is granted exactly if no earlier conflicting request is live, and a widening
//	     exactly if it waits for nothing (see above).
//	I3   A live request is at each node that it claims, and at each ancestor, exactly once:
//	     admitted and counted in the queue of the node, or waiting with an entry there. Each
//	     live claim is in a claim list of its node. A widening is not at a node where the mode
//	     of its grant covers its own.
//	I4   The entries of a queue wait in order of arrival, mode by mode, and group by group. In a
//	     claim list, admitted claims come before waiting ones, except for those of widenings.
//	I5   A request counts the nodes where it waits. It is granted if that count is 0.
//	I6   A grant is reported at most once.
//	I7   Sequence numbers grow in the order of arrival. Among requests that never widen, they
//	     also grow along conflicting grants.
//	I8   A node with an empty queue is not in the table, or is in its bounded idle list.
//	I9   A node with a non-empty queue is in one of its parent's lists of children: in that
//	     of written children if a request writes the node or something below it.
//	I10  A widening waits and its grant does not, and they know each other. Each node use of
//	     the widening knows the mode of the grant at the node.
//	I11  The arrival of a widening, or of a request whose caller holds another one, is all that
//	     closes a circle of requests that wait for one another. Circle finds it exactly then.
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
// Widen takes O(d), where d counts the nodes of the grant as well. Circle takes time in proportion
// to the node uses of the requests that wait for the grant, directly or through others, and to
// their entries. If there are none it takes O(d). See BenchmarkWiden and BenchmarkCircle.
//
// Narrow takes O(d) if no request has to be requeued. Otherwise it also takes O(d) and a sort for
// each later request that waits for what the narrowed request held.
package locktable
