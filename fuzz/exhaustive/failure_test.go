package exhaustive_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock/fuzz/locktest"
	"github.com/treelock/treelock/internal/model"
)

// A failure is a difference between the table and the rule, and the steps that lead to it.
type failure struct {
	w       *world
	err     error
	maxIdle int
	steps   []step // since nothing was live
	past    []step // before that, in the same table
}

// newFailure returns the failure of the latest step of t.
func newFailure(t *table, err error) *failure {
	f := &failure{w: t.w, err: err, maxIdle: t.maxIdle}
	all := f.w.episodes(t.log)
	f.past = slices.Concat(all[:len(all)-1]...)
	latest := all[len(all)-1]
	for i, s := range latest {
		if i == len(latest)-1 || s.verb != narrow || f.w.allows(f.steps, s) {
			f.steps = append(f.steps, s)
		}
	}
	return f
}

// allows reports whether the rule allows the narrowing s after steps.
func (w *world) allows(steps []step, s step) bool {
	r := w.rule(steps)
	_, ok := r.Narrow(int(s.rank), w.spellings[s.spelling].Rule)
	return ok
}

// rule returns the rule after steps.
func (w *world) rule(steps []step) (r model.Rule[asker]) {
	for _, s := range steps {
		w.step(&r, s)
	}
	return r
}

// step takes a step with the rule.
func (w *world) step(r *model.Rule[asker], s step) {
	switch s.verb {
	case submit:
		r.Submit(w.spellings[s.spelling].Rule)
	case end:
		r.End(int(s.rank))
	case narrow:
		r.Narrow(int(s.rank), w.spellings[s.spelling].Rule)
	case widen:
		_, waits := r.Widen(int(s.rank), w.spellings[s.spelling].Rule)
		w.refuseCircle(r, waits)
	case submitUnder:
		granted := r.SubmitUnder(int(s.rank), w.spellings[s.spelling].Rule)
		w.refuseCircle(r, len(granted) == 0)
	}
}

// refuseCircle ends the latest request, if it waits and closes a circle.
func (w *world) refuseCircle(r *model.Rule[asker], waits bool) {
	if last := r.Live() - 1; waits && r.OnCircle(last) {
		r.End(last)
	}
}

// shorter returns the failure with fewer steps, or the one that comes first in the order of their
// steps. Either may be nil.
func shorter(f, g *failure) *failure {
	if f == nil || g != nil && compareWays(g.steps, f.steps) < 0 {
		return g
	}
	return f
}

// replay takes steps with a new table until one fails. It returns the number of steps taken, and
// the error.
func (f *failure) replay(steps []step) (taken int, err error) {
	defer recovered(&err)
	t := newTable(f.w, f.maxIdle)
	for _, s := range steps {
		taken++
		if err := t.playAndCheck(s); err != nil {
			return taken, err
		}
	}
	return taken, nil
}

// findPast adds to the steps of f the earlier steps that the failure needs, if it does not happen
// in a new table.
func (f *failure) findPast() {
	withPast := func(past [][]step) []step { return append(slices.Concat(past...), f.steps...) }
	fails := func(past [][]step) bool {
		_, err := f.replay(withPast(past))
		return err != nil
	}
	past := f.w.episodes(f.past)
	if !fails(past) {
		f.err = fmt.Errorf("%w (once only, the second time nothing has failed)", f.err)
		return
	}
	f.steps = withPast(reduce(past, fails))
	taken, err := f.replay(f.steps)
	f.steps, f.err = f.steps[:taken], err // with the numbers of a new table
}

// reduce returns past without the episodes that fails does not need to be true.
func reduce(past [][]step, fails func([][]step) bool) [][]step {
	for size := len(past); size > 0; size /= 2 {
		for i := 0; i+size <= len(past); {
			if without := slices.Concat(past[:i], past[i+size:]); fails(without) {
				past = without
			} else {
				i += size
			}
		}
	}
	return past
}

// String returns the failure as a scenario file, with the consequences that the rule says.
func (f *failure) String() string {
	f.findPast()
	return fmt.Sprintf("# The last step fails in a table that keeps at most %d idle nodes.\n# %v\n\n%s", f.maxIdle, f.err, f.w.script(f.steps))
}

// TestFailureIsAScenario compares the table with a rule that is wrong in one place. The search must
// find the difference, by a shortest way, and print it as a scenario file with the consequences by
// the right rule.
func TestFailureIsAScenario(t *testing.T) {
	w := newWorld(size{nodes: chain, clients: 3, claims: 1})
	w.pairs[2*kinds+readNode].conflict &^= 1 << (1*kinds + write)
	s := newSearch(w, t.Logf)
	s.run()
	if s.failed == nil {
		t.Fatal("the search has found nothing")
	}
	want := `# The last step fails in a table that keeps at most 0 idle nodes.
# I2: the requests of ranks [] are granted, want [1]

submit r1 write /a
----
r1: granted

submit r2 read-node /a/x
----
r2: waits for r1

`
	if diff := cmp.Diff(want, s.failed.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestPastIsReducedToWhatIsNeeded(t *testing.T) {
	var past [][]step
	for i := range uint16(100) {
		past = append(past, []step{{verb: submit, spelling: i}, {verb: end}})
	}
	got := reduce(past, func(past [][]step) bool {
		all := slices.Concat(past...)
		return slices.Contains(all, step{spelling: 13}) && slices.Contains(all, step{spelling: 77})
	})
	if diff := cmp.Diff([][]step{past[13], past[77]}, got, cmp.AllowUnexported(step{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestScriptsAreWhatAManagerDoes plays random walks as scenario files with a real manager. So the
// text of a failure is a test.
func TestScriptsAreWhatAManagerDoes(t *testing.T) {
	w := newWorld(size{nodes: five, clients: 4, claims: 2})
	for seed := range uint64(20) {
		rng, r, steps := rand.New(rand.NewPCG(seed, 2)), model.Rule[asker]{}, []step{}
		for range 30 {
			steps = append(steps, w.randomStep(rng, &r))
			w.step(&r, steps[len(steps)-1])
		}
		want := w.script(steps)
		if diff := cmp.Diff(want, string(locktest.Scenario(t, locktest.Manager, []byte(want)))); diff != "" {
			t.Fatalf("seed %d: -want +got:\n%s", seed, diff)
		}
	}
}

// randomStep returns a step that is possible where r says what is live. A narrowing may be one that
// is refused.
func (w *world) randomStep(rng *rand.Rand, r *model.Rule[asker]) step {
	rank, spelling := rng.IntN(r.Live()+1), uint16(rng.IntN(len(w.spellings)))
	switch {
	case r.Live() == 0 || rank == r.Live() && rank < w.clients:
		return step{verb: submit, spelling: spelling}
	case rank == r.Live():
		return step{verb: end, rank: uint8(rank - 1)}
	case r.Granted(rank) && rng.IntN(2) == 0:
		return step{verb: narrow, rank: uint8(rank), spelling: spelling}
	}
	return step{verb: end, rank: uint8(rank)}
}
