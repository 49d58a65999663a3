package waitqueue_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock/waitqueue"
)

// A party is one live request of the random test. It uses two nodes of a tree: the one whose queue is tested, and
// the one above, of which nothing but its modes is kept. What it holds above is what [waitqueue.Queue.Hold] is for.
type party struct {
	seq    uint64
	above  waitqueue.Modes
	places []*place
}

// A place is an entry, and what the rule says of it.
type place struct {
	entry    waitqueue.Entry[*place]
	party    *party
	mode     waitqueue.Mode
	admitted bool
}

func (p *place) String() string { return fmt.Sprintf("%d %v", p.party.seq, p.mode) }

// naive is a queue that evaluates all pairs after each step, next to the real one.
type naive struct {
	t       *testing.T
	real    waitqueue.Queue[*place]
	parties []*party // by arrival
	seq     uint64
	log     []string
}

// places returns all places, mode by mode in the order of arrival.
func (n *naive) places() (all []*place) {
	for _, mode := range allModes {
		for _, party := range n.parties {
			for _, p := range party.places {
				if p.mode == mode {
					all = append(all, p)
				}
			}
		}
	}
	return all
}

// recount says anew who is admitted: those with no earlier conflicting place. It returns whose state that changes.
func (n *naive) recount() (changed []string) {
	all := n.places()
	for _, p := range all {
		admitted := !slices.ContainsFunc(all, func(o *place) bool {
			return o.party.seq < p.party.seq && o.mode.Conflicts(p.mode)
		})
		if admitted != p.admitted {
			p.admitted = admitted
			changed = append(changed, p.String())
		}
	}
	return changed
}

// granted reports whether no earlier party conflicts with p at either node.
func (n *naive) granted(p *party) bool {
	for _, o := range n.parties {
		if o.seq < p.seq && (conflict(o.above, p.above) || conflict(modesBelow(o), modesBelow(p))) {
			return false
		}
	}
	return true
}

func modesBelow(p *party) (modes waitqueue.Modes) {
	for _, place := range p.places {
		modes = modes.With(place.mode)
	}
	return modes
}

func conflict(a, b waitqueue.Modes) bool { return conflictsOf(a)&b != 0 }

// arrive is the arrival of a party that claims something above, below, or both.
func (n *naive) arrive(rng *rand.Rand) {
	n.seq++
	p := &party{seq: n.seq}
	n.parties = append(n.parties, p)
	if rng.IntN(2) == 0 {
		p.above = p.above.With([]waitqueue.Mode{TR, TW, NR, NW, TR, TW}[rng.IntN(6)])
	}
	var below waitqueue.Modes
	for range rng.IntN(3) {
		below = below.With(allModes[rng.IntN(6)])
	}
	for modes := below.Minimal(); modes != 0; modes = modes.Rest() {
		mode := modes.First()
		p.above = p.above.With(mode.Intention())
		at := &place{party: p, mode: mode}
		p.places = append(p.places, at)
		n.step("arrive %v", at)
		n.recount()
		if got := n.real.Arrive(&at.entry, at, p.seq, mode); got != at.admitted {
			n.fatalf("Arrive(%v) = %t, want %t", at, got, at.admitted)
		}
		n.check()
	}
}

// leave is the departure of one place, whether it was admitted or not.
func (n *naive) leave(p *place) {
	n.step("leave %v", p)
	i := slices.Index(p.party.places, p)
	p.party.places = slices.Delete(p.party.places, i, i+1)
	n.compare("Leave", p, n.real.Leave(&p.entry, nil), n.recount())
}

// end is the departure of a party, place by place.
func (n *naive) end(rng *rand.Rand, p *party) {
	for len(p.places) > 0 {
		n.leave(p.places[rng.IntN(len(p.places))])
	}
	i := slices.Index(n.parties, p)
	n.parties = slices.Delete(n.parties, i, i+1)
}

// narrow lets p, which must be granted, hold something inside what it held, and then mostly gives up the rest.
func (n *naive) narrow(rng *rand.Rand, p *party) {
	old := slices.Clone(p.places)
	var kept waitqueue.Modes
	for range 1 + rng.IntN(2) {
		mode := allModes[rng.IntN(6)]
		if mayHold(p, old, mode) {
			n.hold(p, mode)
			kept = kept.With(mode.Intention())
		}
	}
	if rng.IntN(4) > 0 {
		p.above = kept
		for _, place := range old {
			n.leave(place)
		}
	}
}

// mayHold reports whether p holds something that conflicts with all that mode conflicts with: a subtree above, or
// an entry at the node itself.
func mayHold(p *party, places []*place, mode waitqueue.Mode) bool {
	if p.above.Has(TW) || p.above.Has(TR) && mode.Intention() == IR {
		return true
	}
	return slices.ContainsFunc(places, func(o *place) bool { return o.mode.Covers(mode) })
}

// hold puts a place of p, which is granted, at the front. No grant may be taken back by that.
func (n *naive) hold(p *party, mode waitqueue.Mode) {
	at := &place{party: p, mode: mode, admitted: true}
	n.step("hold %v", at)
	granted := map[*party]bool{}
	for _, o := range n.parties {
		granted[o] = n.granted(o)
	}
	p.places = append(p.places, at)
	revoked := n.real.Hold(&at.entry, at, p.seq, mode, nil)
	for _, r := range revoked {
		if granted[r.party] {
			n.fatalf("Hold(%v) takes back the grant of %v", at, r)
		}
	}
	n.compare("Hold", at, revoked, n.recount())
	if !at.admitted {
		n.fatalf("Hold(%v) is not admitted by the rule: its precondition was not met", at)
	}
}

// compare checks what a step changed, which is to be told in order of arrival within each mode.
func (n *naive) compare(call string, at *place, changed []*place, want []string) {
	n.t.Helper()
	slices.SortStableFunc(changed, func(a, b *place) int { return int(a.mode) - int(b.mode) })
	var got []string
	for _, p := range changed {
		got = append(got, p.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		n.fatalf("%s(%v) stirred, -want +got:\n%s", call, at, diff)
	}
	n.check()
}

// check compares all entries and lets the queue check itself.
func (n *naive) check() {
	n.t.Helper()
	all := n.places()
	for _, p := range all {
		if p.entry.Admitted() != p.admitted {
			n.fatalf("I2: %v has admitted=%t, want %t", p, p.entry.Admitted(), p.admitted)
		}
	}
	if got, want := n.real.Empty(), len(all) == 0; got != want {
		n.fatalf("Empty() = %t, want %t", got, want)
	}
	if err := n.real.Check(); err != nil {
		n.fatalf("%v", err)
	}
}

func (n *naive) step(format string, args ...any) { n.log = append(n.log, fmt.Sprintf(format, args...)) }

func (n *naive) fatalf(format string, args ...any) {
	n.t.Helper()
	for _, line := range n.log {
		n.t.Log(line)
	}
	n.t.Fatalf(format, args...)
}

func TestQueueAdmitsWhatANaiveQueueDoes(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		n := &naive{t: t}
		for range 100 {
			i := rng.IntN(len(n.parties) + 1)
			switch action := rng.IntN(10); {
			case i == len(n.parties) || action < 5 && len(n.parties) < 12:
				n.arrive(rng)
			case action < 7 && n.granted(n.parties[i]):
				n.narrow(rng, n.parties[i])
			default:
				n.end(rng, n.parties[i])
			}
		}
		for len(n.parties) > 0 {
			n.end(rng, n.parties[0])
		}
	}
}
