package exhaustive_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/treelock/treelock/internal/model"
)

// maxClients bounds the clients of a world: the rank of a request has three bits in a key.
const maxClients = 8

// A rule is the admission rule, of a world whose conflicts are known: what is live, by arrival. It is package model made
// fast, and TestRuleIsTheModel compares the two. Requests are known by their rank, which is the number of those that are
// live and arrived earlier.
type rule struct {
	w       *world
	live    int
	forms   [maxClients]uint16
	granted uint // the set of ranks that are granted
}

// submit is the arrival of a request.
func (r *rule) submit(form uint16) {
	r.forms[r.live] = form
	r.live++
	r.admit()
}

// end is the release or the withdrawal of a request. Those behind it move up a rank.
func (r *rule) end(rank int) {
	copy(r.forms[rank:r.live], r.forms[rank+1:r.live])
	r.live--
	before := uint(1)<<rank - 1
	r.granted = r.granted&before | r.granted>>1&^before
	r.admit()
}

// narrow reports whether a request, which is granted, may be narrowed to form, and does it if so.
func (r *rule) narrow(rank int, form uint16) bool {
	if !r.w.inside[form][r.forms[rank]] {
		return false
	}
	r.forms[rank] = form
	r.admit()
	return true
}

// play takes a step.
func (r *rule) play(s step) {
	switch s.verb {
	case submit:
		r.submit(r.w.spellings[s.spelling].form)
	case end:
		r.end(int(s.rank))
	case narrow:
		r.narrow(int(s.rank), r.w.spellings[s.spelling].form)
	}
}

// holds reports whether a request is granted.
func (r *rule) holds(rank int) bool { return r.granted>>rank&1 != 0 }

// admit grants what no earlier live request conflicts with.
func (r *rule) admit() {
	for rank := range r.live {
		if !r.holds(rank) && r.free(rank) {
			r.granted |= 1 << rank
		}
	}
}

func (r *rule) free(rank int) bool {
	conflict := r.w.conflict[r.forms[rank]]
	for earlier := range rank {
		if conflict[r.forms[earlier]] {
			return false
		}
	}
	return true
}

// TestRuleIsTheModel compares the rule with package model: in all conflicts and all narrowings of two spellings, and then
// on random walks of as many clients as there may be.
func TestRuleIsTheModel(t *testing.T) {
	for _, size := range []size{
		{nodes: five, clients: 3, claims: 1},
		{nodes: chain, clients: 3, claims: 2},
		{nodes: four, clients: maxClients, claims: 2},
	} {
		w := newWorld(size)
		checkForms(t, w)
		for seed := range uint64(200) {
			walk(t, w, rand.New(rand.NewPCG(seed, 1)))
		}
	}
}

// checkForms checks that all spellings of a form mean the same.
func checkForms(t *testing.T, w *world) {
	t.Helper()
	for i := range w.spellings {
		for j := range w.spellings {
			a, b := &w.spellings[i], &w.spellings[j]
			if got, want := w.conflict[a.form][b.form], model.Conflict(a.req, b.req); got != want {
				t.Fatalf("conflict of %v and %v = %t, want %t", a.req, b.req, got, want)
			}
			if got, want := w.inside[a.form][b.form], holds(b.req, a.req); got != want {
				t.Fatalf("%v inside %v = %t, want %t", a.req, b.req, got, want)
			}
		}
	}
}

// walk takes random steps with the rule and the model and compares what is granted after each.
func walk(t *testing.T, w *world, rng *rand.Rand) {
	t.Helper()
	r, m := rule{w: w}, model.Model[path]{}
	for i := range 50 {
		next := randomStep(rng, &r)
		r.play(next)
		switch req := w.spellings[next.spelling].req; next.verb {
		case submit:
			m.Submit(fmt.Sprint("r", i), req)
		case end:
			m.End(m.Live()[next.rank])
		case narrow:
			m.Narrow(m.Live()[next.rank], req)
		}
		var got, want []bool
		for rank, name := range m.Live() {
			got, want = append(got, r.holds(rank)), append(want, m.Granted(name))
		}
		if !slices.Equal(got, want) || r.live != len(want) {
			t.Fatalf("granted, by arrival: %v, want %v", got, want)
		}
	}
}

// randomStep returns a step that is possible where r says what is live. A narrowing may be one that is refused.
func randomStep(rng *rand.Rand, r *rule) step {
	rank, spelling := rng.IntN(r.live+1), uint16(rng.IntN(len(r.w.spellings)))
	switch {
	case r.live == 0 || rank == r.live && r.live < r.w.clients:
		return step{verb: submit, spelling: spelling}
	case rank == r.live:
		return step{verb: end, rank: uint8(rank - 1)}
	case r.holds(rank) && rng.IntN(2) == 0:
		return step{verb: narrow, rank: uint8(rank), spelling: spelling}
	}
	return step{verb: end, rank: uint8(rank)}
}
