package fuzz_test

import (
	"testing"

	"github.com/treelock/treelock/fuzz/locktest"
)

// FuzzManager plays histories with the real manager and real goroutines.
func FuzzManager(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) { locktest.Play(t, locktest.Manager, data) })
}
