// Package soak has a test of the lock manager under load, with real goroutines and real time, made
// for the race detector:
//
//	go test -race -v ./fuzz/soak -soak 10m -timeout 0
//
// TestSoak runs clients on one manager after the other, with bursts of cancellation and stops
// during the work. The clients use a shadow of the tree, which detects conflicting users and
// overtaken requests.
package soak
