// Package exhaustive compares the lock table with the admission rule in everything that can happen in small worlds:
// every order of arrivals, withdrawals, releases and narrowings. Where the fuzz targets show that a fault is unlikely,
// this shows that there is none within a world's bounds.
//
//	go test ./fuzz/exhaustive -v
//	go test ./fuzz/exhaustive -v -timeout 0 -wide -tree "/ /a /a/x /b" -clients 3 -claims 2
//	go test ./fuzz/exhaustive -v -timeout 0 -wide -tree "/ /a /a/x /a/y /b" -clients 4 -claims 1
//
// # Terminology
//
// A world is a tree, a number of clients, and all requests of up to a number of claims, of all four kinds, at any of the
// nodes. A client has one request at a time and then the next, for ever. A spelling is a request as it is written
// down: a sequence of claims. The spellings of one form mean the same by the rule, and leave the same entries in an
// empty table. A step is a submission, the end of a request (a withdrawal or a release, whichever it is for), or a
// narrowing to a request inside what is held. A state is a key: the forms of what is live, by arrival, and all
// entries of all queues of the real table, list by list, each with the rank of its request among the live ones and with
// whether it is admitted.
//
// # What is done
//
// The search is breadth first, so the way to a state is a shortest one. For each state and each step
// from it a table is brought to the state, takes the step, and then sees the end of all that is live, in an order that
// varies. After each step the table must have granted what the rule says (I1, I2), once (I6), and may not be in a
// deadlock: the earliest live request is granted, and all others wait for earlier ones only, since the rule knows no other
// reason to wait. Sequence numbers must grow by arrival, which by I2 is I7. When nothing is live, nothing may be left. After
// each step there must be as many entries as the claims need (I3), and after the step proper the table checks itself
// (I3, I4, I5, I8). Narrowings that must be refused are tried where a client
// is free, and must change nothing.
//
// The rule is package model, made fast by a matrix of all conflicts between forms, and is itself compared with package
// model.
//
// # Why a state needs to be visited once only
//
// What a table does next depends on its queues, on the order of its requests, and on what follows from these: from where on the
// entries of a list wait, how many entries of a request are not admitted, who waits. The queues and the order are the key. The
// rest is recomputed by the table's Check after each step, also after those that lead to a known state. So two
// tables of the same key differ in these things at most:
//
//   - In storage: idle nodes, cleared nodes and requests, guesses where a parent is. No result may depend on
//     it. That is not proved but tried: a table is used for many visits, one after the other, and tables differ in how many
//     idle nodes they keep.
//   - In the order in which a request's places are visited, which spellings of one form differ in. Queues of different nodes
//     know nothing of one another, and counts do not depend on the order, so it decides at most in which order one
//     call reports several grants. That is an argument, not a proof. So all spellings are submitted and narrowed to as
//     long as a client is free after that, and what they lead to is ended again; with the last client it is one spelling of
//     each form. Some worlds tell all spellings apart (-spelled), and need no argument.
//   - In names. The table only compares them, so a state is the same as its image when nodes that the tree does not
//     tell apart change places; and clients are not in the key at all.
//
// Whatever needs more clients, claims or nodes than a world has is not covered by it.
package exhaustive
