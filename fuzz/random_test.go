package fuzz_test

import (
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/treelock/treelock/fuzz/locktest"
)

var histories = flag.Int("histories", 600, "how many random histories the tests of the table and of the manager play")

// randomHistories calls play with the bytes of random histories.
func randomHistories(t *testing.T, stream uint64, play func(data []byte)) {
	for seed := range uint64(*histories) {
		rng := rand.New(rand.NewPCG(seed, stream))
		data := make([]byte, rng.IntN(500))
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		play(data)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestManagerGrantsWhatTheRuleSays(t *testing.T) {
	randomHistories(t, 2, func(data []byte) { locktest.Play(t, locktest.Manager, data) })
}
