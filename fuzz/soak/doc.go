// Package soak has tests of the lock manager under load, with real goroutines and real time, made for the race detector:
//
//	go test -race -v ./fuzz/soak -soak 10m -timeout 0
//
// TestSoak lets clients loose on one manager after the other, with storms of cancellation and stops in the middle, above a
// shadow of the tree that notices rivals. TestNobodyIsOvertaken measures fairness.
package soak
