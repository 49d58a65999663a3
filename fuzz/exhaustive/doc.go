// Package exhaustive compares the lock table with the admission rule in everything that can happen
// in small worlds: every order of arrivals, withdrawals, releases and narrowings. The fuzz targets
// show that a fault is unlikely. This shows that there is none within the bounds of a world.
//
//	go test ./fuzz/exhaustive -v
//	TREELOCK_TESTS=long go test ./fuzz/exhaustive -v
//	go test ./fuzz/exhaustive -v -timeout 0 -wide -tree "/ /a /a/x /b" -clients 3 -claims 2
//	go test ./fuzz/exhaustive -v -timeout 0 -wide -tree "/ /a /a/x /a/y /b" -clients 4 -claims 1
//	go test ./fuzz/exhaustive -v -timeout 0 -wide -widens -tree "/ /a" -clients 3 -claims 1
//
// # Terminology
//
// A world is a tree, a number of clients, and all requests of up to a number of claims, of all four
// kinds, at any of the nodes. A client has one request at a time and then the next, without end. A
// spelling is a request as it is written down: a sequence of claims. The spellings of one form mean
// the same by the rule, and leave the same entries in an empty table. A step is a submission, the
// end of a request (a withdrawal or a release), or a narrowing to a request inside what is held. A
// state is a key: the forms of the live requests, by arrival, and all entries of all queues of the
// real table, list by list, each with the rank of its request among the live ones and with whether
// it is admitted.
//
// In some worlds grants widen (-widens). Then a step may also be a widening of any granted request
// by any request, or a request whose caller holds a granted one while it waits. A widening that
// waits is a live request of the client of its grant, so a request may come to hold any set of
// claims. A step that would close a circle is refused: the request or the widening ends at once.
//
// # What is done
//
// The search is breadth first, so the way to a state is a shortest one. For each state and each
// step from it, a table is brought to the state, takes the step, and then sees the end of all live
// requests, in an order that varies. The harness of package tabletest compares the table with the
// rule after each step, and checks all of the table after the step proper. Narrowings that must be
// refused are tried where a client is free, and must change nothing. The rule is that of package
// model, with the conflicts between claims in sets of bits. It looks for circles with a search of
// the graph of all requests, and there is none in any state.
//
// # Why a state needs to be visited once only
//
// What a table does next depends on its queues, on the order of its requests, and on what follows
// from these: where the waiting entries of a list begin, how many entries of a request are not
// admitted, which requests wait. The queues and the order are the key. The table's Check recomputes
// the rest after each step, also after a step that leads to a known state. So two tables of the
// same key differ in these things at most:
//
//   - In storage: idle nodes, cleared nodes and requests, guesses where a parent is. No result may
//     depend on it. That is not proved but tried: a table is used for many visits, one after the
//     other, and tables differ in how many idle nodes they keep.
//   - In the order in which the node uses of a request are visited, in which spellings of one form
//     differ. The queues of different nodes are independent, and counts do not depend on the order.
//     So it decides at most in which order one call reports several grants. That is an argument,
//     not a proof. So all spellings are submitted and narrowed to as long as a client is free after
//     that, and their states are ended again. With the last client it is one spelling of each form.
//     Some worlds distinguish all spellings (-spelled), and need no argument.
//   - In clients, which the table only stores: they are not in the key.
//
// Histories that need more clients, claims or nodes than a world has are not covered by it.
package exhaustive
