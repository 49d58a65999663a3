package cluster

import (
	"os"
	"testing"
)

// smallWorlds are searched exhaustively: all steps that are possible, up to a number of them.
var smallWorlds = []struct {
	name   string
	plans  [][]plan
	start  func(w *world) // the steps before the search; nil if there are none
	budget budget
	depth  int
	long   int // the depth with TREELOCK_TESTS=long
}{
	{
		name:   "two writers",
		plans:  [][]plan{{{claims: write("/a")}}, {{claims: write("/a")}}},
		budget: budget{relist: 1, drop: 1, late: 1},
		depth:  7, long: 11,
	},
	{
		name:   "a session ends",
		plans:  [][]plan{{{claims: write("/a")}, {claims: write("/a")}}, {{claims: write("/a")}}},
		start:  func(w *world) { w.proposeAll(0, 1) },
		budget: budget{deadline: 1, late: 1},
		depth:  7, long: 10,
	},
	{
		name: "what has changed goes with a later transaction",
		plans: [][]plan{
			{{claims: write("/a"), narrower: write("/a/x")}, {claims: write("/a/b"), narrower: write("/a/b/c")}, {claims: read("/z")}},
			{{claims: write("/a/b/d")}},
		},
		start: func(w *world) {
			w.proposeAll(0, 0, 1)
			w.take(step{kind: stepPropose, a: 0})
			w.take(step{kind: stepCommit, a: 0})
		},
		depth: 7, long: 10,
	},
	{
		name:  "a guard",
		plans: [][]plan{{{claims: write("/a")}}, {{claims: write("/a"), narrower: write("/a/b")}}},
		start: func(w *world) {
			w.proposeAll(0, 1)
			w.take(step{kind: stepGuard, a: 0})
		},
		budget: budget{guard: 1, drop: 1},
		depth:  14, long: 18,
	},
	{
		name: "one batch",
		plans: [][]plan{
			{{claims: write("/a")}, {claims: write("/b")}, {claims: write("/c")}},
			{{claims: write("/a", "/b")}},
		},
		start: func(w *world) {
			w.take(step{kind: stepPropose, a: 0, lazy: true})
			w.take(step{kind: stepPropose, a: 0, lazy: true})
			w.proposeAll(0, 1)
		},
		budget: budget{relist: 1, drop: 1},
		depth:  7, long: 9,
	},
	{
		name:  "a request that does not wait",
		plans: [][]plan{{{claims: write("/a")}, {claims: write("/b")}}, {{claims: write("/a"), try: true}}},
		start: func(w *world) {
			w.take(step{kind: stepPropose, a: 0, lazy: true})
			w.proposeAll(0)
		},
		budget: budget{relist: 1},
		depth:  9, long: 14,
	},
	{
		name:   "a revocation",
		plans:  [][]plan{{{claims: write("/a")}}, {{claims: write("/a")}}},
		start:  func(w *world) { w.proposeAll(0, 1) },
		budget: budget{revoke: 1, relist: 1, deadline: 1},
		depth:  7, long: 10,
	},
}

// proposeAll proposes the next request of each of these processes, and lets all learn of them.
func (w *world) proposeAll(processes ...int) {
	for _, a := range processes {
		w.take(step{kind: stepPropose, a: a})
		w.run(func(s step) bool { return s.kind >= stepCommit && s.kind <= stepLinger })
	}
}

func TestSmallWorldsExhaustively(t *testing.T) {
	for _, small := range smallWorlds {
		t.Run(small.name, func(t *testing.T) {
			depth := small.depth
			if os.Getenv("TREELOCK_TESTS") == "long" {
				depth = small.long
			}
			states, broken := search(depth, func() *world {
				w := newWorld(small.plans, small.budget)
				if small.start != nil {
					small.start(w)
				}
				return w
			})
			if broken != "" {
				t.Error(broken)
			}
			t.Logf("%d states in %d steps", states, depth)
		})
	}
}

// search visits all states that a world reaches in so many steps, the nearest first. From each of
// them everything must come to an end.
func search(depth int, start func() *world) (states int, broken string) {
	seen := map[uint64]bool{}
	for level := [][]step{nil}; len(level) > 0; depth-- {
		var next [][]step
		for _, steps := range level {
			broken := catch(func() {
				w := start()
				for _, s := range steps {
					w.take(s)
				}
				hash := w.hash()
				if seen[hash] {
					return
				}
				seen[hash] = true
				if depth > 0 {
					for _, s := range w.enabled() {
						next = append(next, append(steps[:len(steps):len(steps)], s))
					}
				}
				w.finish()
			})
			if broken != "" {
				return len(seen), broken
			}
		}
		level = next
	}
	return len(seen), ""
}
