package exhaustive_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/fuzz/locktest"
)

// A failure is a difference between the table and the rule, and the steps that lead to it.
type failure struct {
	w       *world
	err     error
	maxIdle int
	steps   []step // those since nothing was live
	past    []step // those before, in the same table
}

// newFailure returns the failure of the latest step of p.
func newFailure(p *player, err error) *failure {
	f := &failure{w: p.want.w, err: err, maxIdle: p.maxIdle}
	all := episodes(p.log)
	f.past = slices.Concat(all[:len(all)-1]...)
	for i, s := range all[len(all)-1] {
		if i == len(all[len(all)-1])-1 || !f.refused(s) {
			f.steps = append(f.steps, s)
		}
	}
	return f
}

// refused reports whether s, after f.steps, is a narrowing that the rule refuses.
func (f *failure) refused(s step) bool {
	r := rule{w: f.w}
	for _, s := range f.steps {
		r.play(s)
	}
	return s.verb == narrow && !r.narrow(int(s.rank), f.w.spellings[s.spelling].form)
}

// shorter returns the failure with fewer steps, or the one that comes first in the order of their steps. Either may be nil.
func shorter(f, g *failure) *failure {
	if f == nil || g != nil && compareWays(g.steps, f.steps) < 0 {
		return g
	}
	return f
}

// replay takes steps with a new table until one fails. It returns the number of those taken, and the error.
func (f *failure) replay(steps []step) (taken int, err error) {
	defer recovered(&err)
	p := newPlayer(f.w, f.maxIdle)
	for _, s := range steps {
		taken++
		if err := p.playAndCheck(s); err != nil {
			return taken, err
		}
	}
	return taken, nil
}

// findPast adds to the steps of f what the table has to have seen before, if they do not fail in a new table.
func (f *failure) findPast() {
	withPast := func(past [][]step) []step { return append(slices.Concat(past...), f.steps...) }
	fails := func(past [][]step) bool {
		_, err := f.replay(withPast(past))
		return err != nil
	}
	past := episodes(f.past)
	if !fails(past) {
		f.err = fmt.Errorf("%w (once only, the second time nothing has failed)", f.err)
		return
	}
	f.steps = withPast(reduce(past, fails))
	taken, err := f.replay(f.steps)
	f.steps, f.err = f.steps[:taken], err // with the numbers of a new table
}

// reduce leaves out of past what is not needed for fails to be true, all of it if possible.
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
	s := scenario{w: f.w}
	fmt.Fprintf(&s, "# The last step fails in a table that keeps at most %d idle nodes.\n# %v\n\n", f.maxIdle, f.err)
	s.add(f.steps)
	return s.String()
}

// doing returns what the workers are doing, as scenarios.
func (s *search) doing() (all string) {
	for _, w := range s.workers {
		scenario := scenario{w: s.w}
		scenario.add(append(s.way(int(w.from.Load())), unpack(w.step.Load())))
		all += scenario.String() + "\n"
	}
	return all
}

// TestFailureIsAScenario holds the table to a rule that is wrong in one place. The difference must be found, by a shortest
// way, and be told as a scenario file with what the right rule says.
func TestFailureIsAScenario(t *testing.T) {
	w := newWorld(size{nodes: chain, clients: 3, claims: 1})
	write, below := w.formOf(t, treelock.Write("/a")), w.formOf(t, treelock.ReadNode("/a/x"))
	w.conflict[below][write] = false
	s := newSearch(w)
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

// formOf returns the form of a request.
func (w *world) formOf(t *testing.T, req asked) uint16 {
	t.Helper()
	for _, s := range w.spellings {
		if s.req.String() == req.String() {
			return s.form
		}
	}
	t.Fatalf("%v is no request of this world", req)
	return 0
}

// TestScenariosAreWhatAManagerDoes plays random walks as scenario files with a real manager, so that a failure can be
// kept as it is printed.
func TestScenariosAreWhatAManagerDoes(t *testing.T) {
	w := newWorld(size{nodes: five, clients: 4, claims: 2})
	for seed := range uint64(20) {
		rng, r, s := rand.New(rand.NewPCG(seed, 2)), rule{w: w}, scenario{w: w}
		for range 30 {
			next := randomStep(rng, &r)
			s.add([]step{next})
			r.play(next)
		}
		if diff := cmp.Diff(s.String(), string(locktest.Scenario(t, locktest.Manager, []byte(s.String())))); diff != "" {
			t.Fatalf("seed %d: -want +got:\n%s", seed, diff)
		}
	}
}
