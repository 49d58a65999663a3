package cluster

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/terms"
)

// A process is one process in a world: the real log, and a mirror with the real lock table. Its
// methods do what the loop of a manager does.
type process struct {
	w     *world
	index int
	name  string
	log   *log
	conn  *conn
	table *locktable.Table[treelock.Path, *item]

	lease     int64
	leases    map[*item]int64 // of the session in whose log it arrives
	listed    bool            // since the session began
	delivered int64           // the revision up to which events were delivered
	current   *transaction    // the one that is under way
	answer    *answer         // to it, on its way
	plans     []plan          // to be proposed
	stale     []staleAnswer
	cause     error // why the latest session was lost
	proposed  int   // how many were
}

// A plan is a request that a process makes in a world.
type plan struct {
	claims   []claim
	narrower []claim // that it may be narrowed to
	try      bool    // TryAcquire
}

// An item is a request of a process.
type item struct {
	plan
	process *process
	id      int
	state   itemState
	holds   []claim // now
	entry   *entry
	request *locktable.Request[treelock.Path, *item] // in the table of its process
	token   uint64                                   // when it was granted
	guarded bool                                     // a guard was asked for
	over    bool                                     // released, but held until its guard is deleted
}

// itemState is where a request is, from the point of view of its process.
type itemState byte

const (
	proposedState itemState = iota
	waitingState
	grantedState
	endedState // by its client
	lostState
)

func (i *item) String() string { return fmt.Sprintf("%s%d", i.process.name, i.id) }

func (i *item) live() bool { return i.state < endedState || i.over }

func newProcess(w *world, index int, plans []plan) *process {
	p := &process{w: w, index: index, name: string(rune('A' + index)), plans: plans, leases: map[*item]int64{}}
	p.log = newLog(p.name)
	p.log.revoke = w.store.revoke
	p.conn = &conn{Manager: &Manager{keys: w.store.keys}}
	p.table = locktable.New[treelock.Path, *item](4, terms.NewPaths())
	p.log.Start(p)
	return p
}

// settle is the end of a step: what the log has to say is on its way, unless it lingers.
func (p *process) settle() {
	p.log.Flush()
	select {
	case t := <-p.log.commits:
		p.current, p.answer = &t, nil
		p.w.sent = append(p.w.sent, sentBy{p, t})
		for _, i := range p.w.items {
			if b := i.entry.Journal.(*request).batch; i.process == p && b != nil && p.leases[i] == 0 {
				p.leases[i] = t.lease
			}
		}
	default:
	}
	if p.log.session == nil {
		if p.answer != nil {
			p.stale = append(p.stale, staleAnswer{*p.current, *p.answer})
		}
		p.current, p.answer = nil, nil
	}
}

type staleAnswer struct {
	t transaction
	answer
}

func (p *process) begin() {
	p.w.leases++
	p.lease, p.listed = p.w.leases, false
	p.w.store.grant(p.lease)
	p.log.begin(p.lease, time.Now().Add(1000*time.Hour))
}

func (p *process) propose() {
	next := p.plans[0]
	p.plans = p.plans[1:]
	i := &item{plan: next, process: p, id: p.proposed, holds: next.claims}
	p.proposed++
	e, err := p.log.Propose(next.claims, i.String())
	if err != nil {
		p.w.fail("propose: %v", err)
	}
	i.entry, e.Manager = e, i
	p.w.items = append(p.w.items, i)
}

// holdsOn reports whether a request of p has ended, and waits for the deletion of its guard. Other
// processes may know of that first.
func (p *process) holdsOn() bool {
	return slices.ContainsFunc(p.w.items, func(i *item) bool { return i.process == p && i.over })
}

// end ends a request for its client.
func (p *process) end(i *item) {
	was := i.state
	i.state = endedState
	if was == proposedState {
		if !p.log.End(i.entry, false) {
			p.w.fail("%v has no place, and does not end", i)
		}
		return
	}
	if !p.log.End(i.entry, i.request.WaitedFor()) {
		i.over = true
		return
	}
	p.grantAll(p.table.End(i.request))
}

func (p *process) narrow(i *item) {
	if err := p.log.Narrow(i.entry, slices.Concat(i.narrower)); err != nil {
		if errors.Is(err, errors.ErrUnsupported) && i.guarded {
			return
		}
		p.w.fail("narrow %v: %v", i, err)
	}
	granted, ok := p.table.Narrow(i.request, i.narrower)
	if !ok {
		p.w.fail("%v does not hold what it is narrowed to", i)
	}
	i.holds, i.narrower = i.narrower, nil
	p.grantAll(granted)
}

// deliver hands over the next revision of the log. variant is the order of its events.
func (p *process) deliver(variant int) {
	for _, r := range p.w.store.history {
		if r.number > p.delivered {
			p.delivered = r.number
			p.log.apply(r.number, p.changes(r.events, variant))
			return
		}
	}
	p.delivered = p.w.store.revision
	p.log.reached(p.delivered) // what a progress answer says
}

// relist opens the watch again: all keys are read at once.
func (p *process) relist(variant int) {
	p.listed, p.delivered = true, p.w.store.revision
	p.log.list(p.delivered, p.changes(p.w.store.list(), variant))
}

// changes parses events, in an order that variant says.
func (p *process) changes(events []event, variant int) (all []change) {
	for _, e := range events {
		if c, ok := p.conn.changeOf(e.kv, e.deleted); ok {
			all = append(all, c)
		}
	}
	if variant == 1 {
		slices.Reverse(all)
	} else if len(all) > 0 && variant > 1 {
		k := (variant - 1) % len(all)
		all = slices.Concat(all[k:], all[:k])
	}
	return all
}

// grantAll notes what the table has granted.
func (p *process) grantAll(granted []*locktable.Request[treelock.Path, *item]) {
	for _, r := range granted {
		if i := r.Who; i != nil {
			p.w.granted(i)
		}
	}
}

// Arrive is one of the methods of [journal.Mirror].
func (p *process) Arrive(e *entry) {
	i, own := e.Manager.(*item)
	if own != (e.Process == "") {
		p.w.fail("the entry of %v arrives as one of process %q", e.Manager, e.Process)
	}
	r := p.table.Submit(e.Claims)
	if !own {
		e.Manager = r
		return
	}
	if i.state != proposedState {
		p.w.fail("%v arrives in state %d", i, i.state)
	}
	r.Who, i.request, i.state = i, r, waitingState
	switch {
	case r.Granted():
		p.w.granted(i)
	case i.try:
		if p.w.look(); len(p.nextEvents()) == 0 && !p.holdsOn() && !p.w.blocked(i) {
			p.w.fail("%v is refused, and waits for no request", i)
		}
		i.state = endedState
		p.table.End(r)
		p.log.End(e, true)
	}
}

func (p *process) Ended(e *entry) {
	i := e.Manager.(*item)
	if !i.over {
		p.w.fail("%v ends without a guard", i)
	}
	i.over = false
	p.grantAll(p.table.End(i.request))
}

func (p *process) Held(h treelock.Hold) (*entry, error) { panic("BUG: not called") }

func (p *process) Depart(e *entry) {
	p.grantAll(p.table.End(e.Manager.(*locktable.Request[treelock.Path, *item])))
}

func (p *process) Granted(e *entry) bool {
	return e.Manager.(*locktable.Request[treelock.Path, *item]).Granted()
}

func (p *process) Narrow(e *entry, claims []claim) bool {
	granted, ok := p.table.Narrow(e.Manager.(*locktable.Request[treelock.Path, *item]), claims)
	p.grantAll(granted)
	return ok
}

func (p *process) LoseAll(cause error) {
	p.cause = cause
	for _, i := range p.w.items {
		if i.process == p && i.state == proposedState {
			i.state = lostState
			p.log.End(i.entry, false)
		}
	}
	for _, r := range slices.Backward(p.table.Requests()) {
		if i := r.Who; i != nil {
			p.loseOne(i)
		}
	}
}

func (p *process) Lose(e *entry, cause error) { p.loseOne(e.Manager.(*item)) }

func (p *process) loseOne(i *item) {
	was := i.state
	if i.live() && i.state != endedState {
		i.state = lostState
	}
	if was == proposedState {
		p.log.End(i.entry, false)
		return
	}
	if !p.log.End(i.entry, true) {
		i.over = true
		return
	}
	i.over = false
	p.grantAll(p.table.End(i.request))
}

func (p *process) Do(f func()) bool { panic("BUG: not called") }
