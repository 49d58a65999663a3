package exhaustive_test

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/treelock/treelock/internal/locktable"
)

// A player takes steps with a real table and compares it with the rule after each.
type player struct {
	want    rule
	table   *table
	maxIdle int
	lastSeq uint64
	reqs    []*request // those that are live, by arrival
	log     []step     // all since the table was made

	key, rival []byte // storage
}

func newPlayer(w *world, maxIdle int) *player {
	return &player{want: rule{w: w}, table: locktable.New[int, int](maxIdle), maxIdle: maxIdle}
}

// play takes a step and returns an error if the table does not do what the rule says.
func (p *player) play(s step) error {
	p.log = append(p.log, s)
	switch s.verb {
	case submit:
		return p.submit(s)
	case end:
		return p.end(s)
	default:
		return p.narrow(s)
	}
}

// playAll takes steps, and stops at the first error.
func (p *player) playAll(steps []step) error {
	for _, s := range steps {
		if err := p.play(s); err != nil {
			return err
		}
	}
	return nil
}

// playAndCheck takes a step, looks for conflicts and deadlocks, and has the table check itself.
func (p *player) playAndCheck(s step) error {
	if err := p.play(s); err != nil {
		return err
	}
	if err := p.checkHolders(); err != nil {
		return err
	}
	return p.table.Check()
}

func (p *player) submit(s step) error {
	spelling := &p.want.w.spellings[s.spelling]
	before := p.want.granted
	p.want.submit(spelling.form)
	r := p.table.Submit(len(p.log), spelling.claims)
	p.reqs = append(p.reqs, r)
	if r.Seq() <= p.lastSeq {
		return fmt.Errorf("I7: a request has number %d, and %d arrived before it", r.Seq(), p.lastSeq)
	}
	p.lastSeq = r.Seq()
	if r.Who != len(p.log) {
		return fmt.Errorf("request %d is for somebody else", r.Seq())
	}
	if r.Granted() {
		return p.compare(before, []*request{r})
	}
	return p.compare(before, nil)
}

func (p *player) end(s step) error {
	r := p.reqs[s.rank]
	p.reqs = append(p.reqs[:s.rank], p.reqs[s.rank+1:]...)
	low := uint(1)<<s.rank - 1
	before := p.want.granted&low | p.want.granted>>1&^low
	p.want.end(int(s.rank))
	return p.compare(before, p.table.End(r))
}

func (p *player) narrow(s step) error {
	before := p.want.granted
	spelling := &p.want.w.spellings[s.spelling]
	want := p.want.narrow(int(s.rank), spelling.form)
	if !want {
		p.key = p.appendKey(p.key[:0])
	}
	granted, got := p.table.Narrow(p.reqs[s.rank], spelling.claims)
	if got != want {
		return fmt.Errorf("Narrow returns %t, want %t", got, want)
	}
	if !want && !p.hasKey(p.key) {
		return errors.New("Narrow returns false, and has changed something")
	}
	return p.compare(before, granted)
}

// compare checks what a step has granted, when those in before held already.
func (p *player) compare(before uint, granted []*request) error {
	reported := uint(0)
	for _, r := range granted {
		rank := p.rank(r)
		if rank == len(p.reqs) {
			return fmt.Errorf("I6: a request is granted that is not live")
		}
		if (before|reported)>>rank&1 != 0 {
			return fmt.Errorf("I6: the request of rank %d is granted again", rank)
		}
		reported |= 1 << rank
	}
	if want := p.want.granted &^ before; reported != want {
		return fmt.Errorf("I2: the requests of ranks %v are granted, want %v", ranks(reported), ranks(want))
	}
	return p.compareLive()
}

// rank returns the rank of r, the number of live requests if r is none of them.
func (p *player) rank(r *request) int {
	for rank, live := range p.reqs {
		if live == r {
			return rank
		}
	}
	return len(p.reqs)
}

// ranks returns the elements of a set of ranks.
func ranks(set uint) (ranks []int) {
	for ; set != 0; set &= set - 1 {
		ranks = append(ranks, bits.TrailingZeros(set))
	}
	return ranks
}

// compareLive checks all that the table says of what is live.
func (p *player) compareLive() error {
	last, places := uint64(0), 0
	for rank, r := range p.reqs {
		places += p.want.w.spellings[p.want.w.forms[p.want.forms[rank]]].places
		if r.Seq() <= last {
			return fmt.Errorf("I7: the request of rank %d has number %d, and the one before it %d", rank, r.Seq(), last)
		}
		last = r.Seq()
		if r.Granted() != p.want.holds(rank) || r.Waiting() == p.want.holds(rank) {
			return fmt.Errorf("I2: the request of rank %d has granted=%t, waiting=%t, want granted=%t", rank, r.Granted(), r.Waiting(), p.want.holds(rank))
		}
	}
	if p.table.Live() != p.want.live || p.table.Waiting() != p.want.live-bits.OnesCount(p.want.granted) {
		return fmt.Errorf("I5: %d requests are live, %d wait, want %d and %d", p.table.Live(), p.table.Waiting(), p.want.live, p.want.live-bits.OnesCount(p.want.granted))
	}
	if p.table.Places() != places {
		return fmt.Errorf("I3: there are %d entries, want %d", p.table.Places(), places)
	}
	if p.want.live == 0 && p.table.Nodes() > p.maxIdle {
		return fmt.Errorf("I8: nothing is live, and there are %d nodes, want %d at most", p.table.Nodes(), p.maxIdle)
	}
	return nil
}

// checkHolders checks that no two conflicting requests hold, that the earliest request holds, and that each that waits
// has an earlier one to wait for. Waiting for earlier ones only, no requests wait for one another in a circle.
func (p *player) checkHolders() error {
	for rank, r := range p.reqs {
		waitsFor := 0
		for earlier, e := range p.reqs[:rank] {
			if !p.want.w.conflict[p.want.forms[rank]][p.want.forms[earlier]] {
				continue
			}
			if waitsFor++; r.Granted() && e.Granted() {
				return fmt.Errorf("I1: the requests of ranks %d and %d hold together", earlier, rank)
			}
		}
		if r.Waiting() && waitsFor == 0 {
			return fmt.Errorf("deadlock: the request of rank %d waits for no earlier one", rank)
		}
	}
	return nil
}

// clear ends all requests, in an order that depends on luck.
func (p *player) clear(luck int) error {
	for p.want.live > 0 {
		if err := p.play(step{verb: end, rank: uint8(luck % p.want.live)}); err != nil {
			return err
		}
		luck /= 2
	}
	return nil
}
