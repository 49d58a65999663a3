package fuzz_test

import (
	"flag"
	"math/rand/v2"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/treelock/treelock/fuzz/locktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var histories = flag.Int("histories", 0, "how many random histories a test plays; 0: 200, or 2000 with TREELOCK_TESTS=long")

// randomHistories calls play with the bytes of random histories.
func randomHistories(t *testing.T, stream uint64, play func(data []byte)) {
	n := *histories
	if n == 0 && os.Getenv("TREELOCK_TESTS") == "long" {
		n = 2000
	} else if n == 0 {
		n = 200
	}
	for seed := range uint64(n) {
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

// short returns the first 4 KB of an input. The fuzz engine stops an input that takes ten seconds
// and reports a failure, and the naive checks take time that grows with the square of the length.
func short(s string) string { return s[:min(len(s), 1<<12)] }
