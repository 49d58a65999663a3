package cluster

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A world is etcd, some processes with the real log, and a scheduler that chooses each step. The
// same steps lead to the same state.
type world struct {
	store     *store
	processes []*process
	items     []*item
	leases    int64    // that were granted
	sent      []sentBy // all transactions, as a copy may come late
	budget    budget
	steps     []step
	grants    []pastGrant
	placed    map[string]uint64 // the place of each request that was ever in the log
	seen      int               // the revisions of the history that were looked at
	foreign   bool              // other programs write to it
}

type sentBy struct {
	process *process
	t       transaction
}

// A pastGrant is a request that was granted, as it was then.
type pastGrant struct {
	item   *item
	claims []claim
}

// A stepKind is what a step does. The comments say what its numbers are.
type stepKind byte

const (
	stepPropose  stepKind = iota // a process
	stepEnd                      // an item
	stepNarrow                   // an item
	stepGuard                    // an item
	stepCommit                   // a process: etcd gets the transaction under way
	stepAnswer                   // a process: it gets the answer
	stepDeliver                  // a process, the order of the events
	stepLinger                   // a process
	stepRelist                   // a process, the order of the keys
	stepBegin                    // a process
	stepExpire                   // a lease
	stepDrop                     // a process: the answer is lost
	stepLate                     // a transaction: a copy of it arrives at etcd
	stepRevoke                   // a process, an item of another one
	stepDeadline                 // a process
	stepStale                    // a process: the answer to a transaction of an earlier session
	numSteps
)

// A budget is how often a step is taken in a world. It bounds what could go on without an end.
type budget struct{ relist, drop, late, revoke, deadline, guard int }

type step struct {
	kind stepKind
	a, b int
	lazy bool // the manager has more to do before it flushes
}

// isFault reports whether s is something that is rare.
func (s step) isFault() bool { return s.kind >= stepRelist }

func (s step) String() string {
	text := fmt.Sprintf("%s %d %d", [numSteps]string{"propose", "end", "narrow", "guard", "commit", "answer", "deliver", "linger",
		"relist", "begin", "expire", "drop", "late", "revoke", "deadline", "stale"}[s.kind], s.a, s.b)
	if s.lazy {
		text += " (no flush)"
	}
	return text
}

// A violation is what a world panics with.
type violation struct{ text string }

func (v violation) Error() string { return v.text }

func newWorld(plans [][]plan, b budget) *world {
	w := &world{store: newStore("/m"), budget: b, placed: map[string]uint64{}}
	for i, p := range plans {
		w.processes = append(w.processes, newProcess(w, i, slices.Clone(p)))
	}
	for _, p := range w.processes {
		p.begin()
	}
	for _, p := range w.processes {
		p.relist(0)
	}
	return w
}

// fail ends a world that has broken a rule.
func (w *world) fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...) + "\nafter"
	for _, s := range w.steps {
		text += "\n\t" + s.String()
	}
	panic(violation{text})
}

// catch runs f and returns the rule that it has broken, "" if there is none.
func catch(f func()) (broken string) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case violation:
			broken = r.text
		default:
			panic(r)
		}
	}()
	f()
	return ""
}

// enabled returns all steps that are possible.
func (w *world) enabled() (all []step) {
	for a, p := range w.processes {
		all = p.enabled(all, a)
	}
	for a, i := range w.items {
		all = i.enabled(all, a)
	}
	for a := 1; a <= int(w.leases); a++ {
		if w.store.leases[int64(a)] && !w.current(int64(a)) {
			all = append(all, step{kind: stepExpire, a: a, b: 0})
		}
	}
	if w.budget.late > 0 {
		for a, s := range w.sent {
			if w.store.leases[s.t.lease] {
				all = append(all, step{kind: stepLate, a: a, b: 0})
			}
		}
	}
	return all
}

// current reports whether a session with that lease has not passed its deadline.
func (w *world) current(lease int64) bool {
	return slices.ContainsFunc(w.processes, func(p *process) bool { return p.log.session != nil && p.lease == lease })
}

func (p *process) enabled(all []step, a int) []step {
	add := func(is bool, kind stepKind, b int) {
		if is {
			all = append(all, step{kind: kind, a: a, b: b})
		}
	}
	add(len(p.plans) > 0, stepPropose, 0)
	add(p.log.session == nil, stepBegin, 0)
	if p.log.session == nil {
		return all
	}
	add(len(p.stale) > 0, stepStale, 0)
	add(p.current != nil && p.answer == nil, stepCommit, 0)
	add(p.answer != nil, stepAnswer, 0)
	add(p.answer != nil && p.w.budget.drop > 0, stepDrop, 0)
	add(len(p.log.linger) > 0, stepLinger, 0)
	add(p.w.budget.deadline > 0, stepDeadline, 0)
	if !p.listed || p.w.budget.relist > 0 {
		add(true, stepRelist, 0)
		add(len(p.w.store.list()) > 1, stepRelist, 1)
	}
	if p.listed {
		n := len(p.nextEvents())
		add(n > 0, stepDeliver, 0)
		add(n > 1, stepDeliver, 1)
		add(n > 2, stepDeliver, 2)
	}
	if p.listed && p.w.budget.revoke > 0 {
		for b, i := range p.w.items {
			add(i.process != p && i.live() && p.memberOf(i) != nil, stepRevoke, b)
		}
	}
	return all
}

// nextEvents returns the events of the next revision that p gets.
func (p *process) nextEvents() []event {
	for _, r := range p.w.store.history {
		if r.number > p.delivered {
			return r.events
		}
	}
	return nil
}

// memberOf returns what the log of p knows of a request of another process.
func (p *process) memberOf(i *item) *member {
	for _, peer := range p.log.peers {
		for _, b := range peer.batches {
			for _, m := range b.members {
				if m.entry.Label == i.String() && !m.ended {
					return m
				}
			}
		}
	}
	return nil
}

func (i *item) enabled(all []step, a int) []step {
	if i.state <= grantedState {
		all = append(all, step{kind: stepEnd, a: a, b: 0})
	}
	if i.state == grantedState && i.narrower != nil {
		all = append(all, step{kind: stepNarrow, a: a, b: 0})
	}
	if i.state == grantedState && !i.guarded && i.process.w.budget.guard > 0 {
		all = append(all, step{kind: stepGuard, a: a, b: 0})
	}
	return all
}

// take takes a step, and checks the state after it.
func (w *world) take(s step) {
	w.steps = append(w.steps, s)
	var p *process
	switch s.kind {
	case stepEnd, stepNarrow, stepGuard:
		p = w.items[s.a].process
		p.takeOf(s, w.items[s.a])
	case stepExpire:
		w.store.expire(int64(s.a))
	case stepLate:
		w.budget.late--
		late := w.sent[s.a]
		w.store.commit(late.process.conn, late.t)
	default:
		p = w.processes[s.a]
		p.take(s)
	}
	if p != nil && !s.lazy {
		p.settle()
	}
	w.look()
	w.check()
}

// takeOf takes a step of a client.
func (p *process) takeOf(s step, i *item) {
	switch s.kind {
	case stepEnd:
		p.end(i)
	case stepNarrow:
		p.narrow(i)
	case stepGuard:
		p.w.budget.guard--
		i.guarded = true
		p.log.guard(i.entry.Journal.(*request))
	}
}

func (p *process) take(s step) {
	switch s.kind {
	case stepPropose:
		p.propose()
	case stepBegin:
		p.begin()
	case stepCommit:
		a := p.w.store.commit(p.conn, *p.current)
		p.answer = &a
	case stepAnswer:
		t, a := *p.current, *p.answer
		p.current, p.answer = nil, nil
		p.log.answered(t, a.applied, a.revision, a.control)
	case stepStale:
		old := p.stale[0]
		p.stale = p.stale[1:]
		p.log.answered(old.t, old.applied, old.revision, old.control)
	case stepDrop:
		p.w.budget.drop--
		p.answer = nil
	case stepLinger:
		<-p.log.linger
		p.log.urgent = true
	case stepRelist:
		if p.listed {
			p.w.budget.relist--
		}
		p.relist(s.b)
	case stepDeliver:
		p.deliver(s.b)
	case stepRevoke:
		p.w.budget.revoke--
		p.log.Revoke(&p.memberOf(p.w.items[s.b]).entry, errors.New("revoked"))
	case stepDeadline:
		p.w.budget.deadline--
		p.log.session.deadline = time.Time{}
		p.log.Tick()
	}
}

// finish lets everything arrive, ends everything, and checks that nothing is left.
func (w *world) finish() {
	w.budget = budget{}
	for _, p := range w.processes {
		p.settle()
	}
	w.run(func(s step) bool { return s.kind > stepGuard && s.kind != stepExpire })
	for _, i := range w.items {
		switch i.state {
		case proposedState:
			w.fail("%v never gets its place", i)
		case grantedState:
			if have := w.logged(i); fmt.Sprint(have) != fmt.Sprint(i.holds) {
				w.fail("%v holds %v, and the log says %v", i, i.holds, have)
			}
		case endedState, lostState:
			if i.leaseOf() == i.process.lease && w.live(i) {
				w.fail("%v has ended, and the log does not say so", i)
			}
		}
	}
	w.run(func(s step) bool { return s.kind != stepPropose && s.kind != stepNarrow })
	var left []string
	for _, e := range w.store.list() {
		left = append(left, string(e.kv.Key))
	}
	for _, p := range w.processes {
		if p.table.Live() > 0 || len(p.log.peers) > 0 || !p.log.idle() || len(p.log.session.batches) > 0 {
			w.fail("the mirror of %s has %d requests and %d sessions left, and %d batches, at the end", p.name, p.table.Live(), len(p.log.peers), len(p.log.session.batches))
		}
	}
	if len(left) > 0 {
		w.fail("left at the end: %s", strings.Join(left, " "))
	}
}

// run takes all steps that may be taken, until there are none.
func (w *world) run(may func(step) bool) {
	for range 10_000 {
		all := w.enabled()
		k := slices.IndexFunc(all, may)
		if k < 0 {
			return
		}
		w.take(all[k])
	}
	w.fail("it goes on without an end")
}

// idle reports whether etcd has all that the process of l has to say.
func (l *log) idle() bool {
	s := l.session
	return s == nil || !s.sent && len(s.changed) == 0 && len(l.unsent) == 0
}
