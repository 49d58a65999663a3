package fuzz_test

import (
	"testing"

	"github.com/treelock/treelock/fuzz/locktest"
)

// FuzzManager plays histories with the real manager and real goroutines.
func FuzzManager(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) { locktest.Play(t, locktest.Manager, data) })
}

// FuzzNodes plays histories in which nodes and contexts misbehave.
func FuzzNodes(f *testing.F) {
	for _, seed := range hostileSeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) { locktest.PlayHostile(t, locktest.Manager, data) })
}
