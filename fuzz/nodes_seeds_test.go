package fuzz_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
)

// houseSeeds returns histories that reach, together, all that a history can have.
func houseSeeds() (seeds [][]byte) {
	for i := range uint64(24) {
		rng := rand.New(rand.NewPCG(i, 9))
		seed := make([]byte, 300)
		for j := range seed {
			seed[j] = byte(rng.Uint32())
		}
		seeds = append(seeds, seed)
	}
	return append(seeds, seedsByHand()...)
}

// seedsByHand returns histories that chance is slow to find. In the first a being moves from one home to the other while
// it is claimed, and whoever holds the other home narrows that to the being. In the second the last of all that a
// manager in drain waits for is a ticket that is withdrawn.
func seedsByHand() [][]byte {
	const ask, end, narrow, happens = 5, 9, 13, 15
	index := func(name string) byte {
		return byte(slices.IndexFunc(breeds, func(b breed) bool { return b.name == name }))
	}
	tame, home, mover := index("tame"), index("home"), index("mover")
	return [][]byte{{
		1, 0, 0, // the limits
		ask, 2, 2, 1, home, 0, 1, home, 1, 0, // w0: submit, write both homes
		ask, 2, 1, 0, mover, 0, 0, // w1: submit, read the being; it waits
		happens, 3, // it moves
		end, 0, // w0
		ask, 2, 1, 1, home, 1, 0, // w4: submit, write the second home
		narrow, 2, 1, 1, 1, mover, 0, // w4 to write the being, which w1 reads
		end, 1, // w4
	}, {
		1, 0, 0,
		ask, 3, 1, 0, tame, 0, 0, // w0: submit, and never receive
		happens, 8, // a drain
		end, 0, // w0
	}}
}

// TestSeedsReachEveryHostility keeps the seeds worth their time.
func TestSeedsReachEveryHostility(t *testing.T) {
	want := []string{"stop", "drain", "open", "move", "time", "narrow", "sane narrow", "end", "again"}
	want = append(want, guestVerbs...)
	for _, b := range breeds {
		want = append(want, "breed: "+b.name)
	}
	for _, m := range moods {
		want = append(want, "mood: "+m.name)
	}
	for _, known := range errorWords {
		want = append(want, "outcome: "+known.word)
	}
	for _, word := range []string{"granted", "waits", "panics with mine", "panics with nil", "exits"} {
		want = append(want, "outcome: "+word)
	}
	seen := map[string]bool{}
	for _, seed := range houseSeeds() {
		synctest.Test(t, func(t *testing.T) {
			for what := range playHouse(t, seed) {
				seen[what] = true
			}
		})
	}
	for _, what := range want {
		if !seen[what] {
			t.Errorf("no seed has: %s", what)
		}
	}
}
