package cluster

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/waitqueue"
)

func claimsOf(mode waitqueue.Mode, paths ...treelock.Path) (all []claim) {
	for _, p := range paths {
		all = append(all, locktable.Claim[treelock.Path]{Mode: mode, Lineage: []treelock.Path{p}})
	}
	return all
}

func write(paths ...treelock.Path) []claim { return claimsOf(waitqueue.TW, paths...) }
func read(paths ...treelock.Path) []claim  { return claimsOf(waitqueue.TR, paths...) }

func readNode(paths ...treelock.Path) []claim { return claimsOf(waitqueue.NR, paths...) }

// largeWorld has all that can happen, for random walks.
func largeWorld() *world {
	plans := [][]plan{
		{
			{claims: write("/a"), narrower: write("/a/x")},
			{claims: write("/a/b"), narrower: write("/a/b/c")},
			{claims: write("/a/b/d"), narrower: read("/a/b/d")},
			{claims: write("/a/x"), try: true},
			{claims: write("/")},
		},
		{
			{claims: write("/a/b"), narrower: write("/a/b/c")},
			{claims: read("/a"), narrower: readNode("/a/x")},
			{claims: write("/a/b/d", "/a/x"), narrower: write("/a/x")},
			{claims: readNode("/a/b"), try: true},
		},
		{
			{claims: read("/"), narrower: []claim{}},
			{claims: write("/a"), narrower: write("/a/b")},
			{claims: write("/a/x"), narrower: []claim{}},
		},
	}
	return newWorld(plans, budget{relist: 4, drop: 4, late: 4, revoke: 2, deadline: 2, guard: 2})
}

// walk takes the steps that data chooses, and finishes. It returns the rule that is broken, with as
// few steps as it finds.
func walk(data []byte) (broken string) {
	w := largeWorld()
	broken = catch(func() {
		for ; len(data) > 1 && len(w.steps) < maxWalk; data = data[2:] {
			all := w.enabled()
			if plain := slices.DeleteFunc(slices.Clone(all), step.isFault); len(plain) > 0 && data[0]&7 > 0 {
				all = plain
			}
			if len(all) == 0 {
				break
			}
			s := all[int(data[1])%len(all)]
			s.lazy = data[0]&8 != 0
			w.take(s)
		}
		w.finish()
	})
	if broken == "" {
		return ""
	}
	return shrink(w.steps, broken)
}

// shrink leaves out steps as long as a rule is broken.
func shrink(steps []step, broken string) string {
	for i := len(steps) - 1; i >= 0; i-- {
		fewer := slices.Delete(slices.Clone(steps), i, i+1)
		if b := retrace(fewer); b != "" {
			steps, broken = fewer, b
		}
	}
	return broken
}

// retrace takes those of the steps that are possible, and finishes.
func retrace(steps []step) (broken string) {
	return catch(func() {
		w := largeWorld()
		for _, s := range steps {
			if slices.ContainsFunc(w.enabled(), func(e step) bool { return e.kind == s.kind && e.a == s.a && e.b == s.b }) {
				w.take(s)
			}
		}
		w.finish()
	})
}

const maxWalk = 150 // steps, of two bytes; later bytes are ignored

// FuzzLog lets several processes use one log, as the bytes choose.
func FuzzLog(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		if broken := walk(data); broken != "" {
			t.Error(broken)
		}
	})
}

func TestLogKeepsTheRulesAtRandom(t *testing.T) {
	n := 3_000
	if os.Getenv("TREELOCK_TESTS") == "long" {
		n = 100_000
	}
	for seed := range uint64(n) {
		rng := rand.New(rand.NewPCG(seed, 1))
		data := make([]byte, rng.IntN(2*maxWalk))
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		if broken := walk(data); broken != "" {
			t.Fatalf("seed %d: %s", seed, broken)
		}
	}
}
