// Package fuzz tests the guarantees of treelock, by commands that can be repeated.
//
//	guarantee                       how                              command
//
//	the rule, in every state of     every order of every operation   go test -v ./fuzz/exhaustive
//	small worlds
//	the rule, in random histories   the queue of one node            go test ./fuzz -fuzz FuzzQueue
//	                                the lock table alone             go test ./fuzz -fuzz FuzzTable
//	                                goroutines and channels          go test ./fuzz -fuzz FuzzManager
//	holders learn of revocations    requests inside requests         go test ./fuzz -fuzz FuzzLost
//	users' code harms no other      hostile nodes and contexts       go test ./fuzz -fuzz FuzzNodes
//	names and texts of nodes        round trips                      go test ./fuzz -fuzz FuzzPathOf,
//	                                                                 FuzzParsePath, FuzzPathText,
//	                                                                 FuzzNodeText, FuzzClaimJSON
//	each call returns, no leaks     every interleaving of a few      fuzz/protocol/run
//	                                clients, in a model (spin)
//	exclusion, order of arrivals,   a shadow tree, with the race     go test -race -v ./fuzz/soak
//	tokens, under load              detector                           -soak 10m -timeout 0
//	the targets find faults         one fault after the other        go run ./fuzz/mutants
//
// Add -fuzzminimizetime 10x to the fuzz commands, since otherwise the engine spends most of its
// time on making inputs short, and -tags treelock_audit, with which the manager checks its own
// invariants after each message. TREELOCK_TESTS=long makes the plain tests longer. Package
// locktest, with which FuzzManager plays its histories, tests other locks too. Package tabletest
// does the same for the lock table.
//
// # Deadlock freedom
//
// A request waits only for requests that are live, conflict with it and arrived before it. So the
// relation "waits for" goes from larger to smaller sequence numbers and has no cycle. The earliest
// live request never waits: in every state something is granted, or nothing is live. Package
// tabletest checks both in each state of the exhaustive check and after each step of FuzzTable.
// FuzzManager and the model of the protocol show that no client is forgotten. A client that waits
// for one grant while it holds another is not covered by this argument.
package fuzz
