// Package fuzz is where the guarantees of treelock are put to the proof, by commands that anyone can run again.
//
//	what                                           how                                  command
//
//	the rule, in every state of small worlds       every order of every operation,      go test -v ./fuzz/exhaustive
//	                                               the lock table against the model
//	the rule, in random histories                  FuzzQueue: the queue of one node     go test ./fuzz -fuzz FuzzQueue
//	                                               FuzzTable: the lock table alone      go test ./fuzz -fuzz FuzzTable
//	                                               FuzzManager: goroutines, channels    go test ./fuzz -fuzz FuzzManager
//	users who do their worst                       FuzzNodes: hostile nodes, contexts   go test ./fuzz -fuzz FuzzNodes
//	names of nodes                                 FuzzParsePath, FuzzPathOf            go test ./fuzz -fuzz FuzzPathOf
//	texts of nodes                                 FuzzPathText, FuzzClaimJSON          go test ./fuzz -fuzz FuzzClaimJSON
//	messages: nobody is stranded, nothing leaks    every interleaving of a few clients  fuzz/protocol/run
//	                                               in a model of the protocol (spin)
//	exclusion, tokens, fairness under load         a shadow tree, the race detector     go test -race -v ./fuzz/soak -soak 10m -timeout 0
//	that the targets find faults                   faults put in one after the other    go run ./fuzz/mutants
//
// Add -fuzzminimizetime 10x to the fuzz commands, since otherwise the engine spends most of its time on making inputs
// short, and -tags treelock_audit, with which the manager checks its own invariants after each message.
//
// Package locktest, which FuzzManager plays its histories with, is for other locks too.
//
// # Deadlock freedom
//
// A request waits only for requests that are live, conflict with it and arrived before it. So the relation "waits for"
// goes from larger to smaller sequence numbers and has no cycle, and the earliest live request waits for nobody: in every
// state something is granted, or nothing is live. Both are checked in each state of the exhaustive check and after each
// step of FuzzTable. That no client is forgotten on the way is what FuzzManager and the model of the protocol are for. A
// client that waits for one grant while it holds another is outside of this, as everywhere.
package fuzz
