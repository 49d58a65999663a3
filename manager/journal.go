package manager

import (
	"slices"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/journal"
	"github.com/treelock/treelock/internal/locktable"
)

// WithJournal lets j decide the order in which requests arrive. It is for package
// manager/cluster, whose managers share the order with other processes. It panics later, in Start,
// if the nodes of the manager are no paths.
func WithJournal(j journal.Journal[treelock.Path]) Option {
	return func(o *options) { o.journal = j }
}

// A placing is what the loop of a manager with a journal keeps besides. These invariants hold
// between messages:
//
//   - A request of this process outside of grants is in pending until it has its place, and then in
//     the lock table with its entry.
//   - A request of another process is in the lock table with its entry, as the log says. It has
//     neither call nor ticket. It is not counted in the statistics.
type placing[N treelock.Node[N]] struct {
	journal journal.Journal[N]             // nil in the manager of one process
	pending map[*call[N]]*journal.Entry[N] // by the call, which is in entry.Manager
	now     *journal.Entry[N]              // the one that arrives at this moment

	// revoking has the calls of Revoke that wait for the end of an entry of another process.
	revoking map[*journal.Entry[N]][]*call[N]
}

// newPlacing returns the placing of a new loop of m.
func newPlacing[N treelock.Node[N]](m *Manager[N]) (p placing[N]) {
	if m.journal != nil {
		p.journal = m.journal.(journal.Journal[N])
		p.pending = make(map[*call[N]]*journal.Entry[N])
		p.revoking = make(map[*journal.Entry[N]][]*call[N])
	}
	return p
}

// foreign reports whether a request is one of another process.
func foreign[N treelock.Node[N]](r *request[N]) bool { return r.Who.meta.processOf() != "" }

// entryOf returns the entry of a request, nil if it has none.
func entryOf[N treelock.Node[N]](r *request[N]) *journal.Entry[N] {
	if x := r.Who.extra; x != nil {
		return x.entry
	}
	return nil
}

// propose asks the journal for a place for the request of c. The client is told to wait, as the
// place takes a while: so it looks at its context. That of a ticket does so anyway.
func (l *loop[N]) propose(c *call[N]) {
	e, err := l.placing.journal.Propose(cloneClaims(c.claims), c.meta.labelOf())
	if err != nil {
		l.refuse(c, err)
		return
	}
	e.Manager = c
	l.placing.pending[c] = e
	l.live++
	if c.mode == modeTicket {
		c.ticket.proposed = c
	} else {
		c.mustWait(grant[N]{})
	}
}

// cloneClaims copies the claims of a call, which may be reused while the log still has them.
func cloneClaims[N comparable](claims []locktable.Claim[N]) []locktable.Claim[N] {
	claims = slices.Clone(claims)
	for i := range claims {
		claims[i].Lineage = slices.Clone(claims[i].Lineage)
	}
	return claims
}

// unpropose ends the request of c, if it has no place yet, and reports whether that is so.
func (l *loop[N]) unpropose(c *call[N]) bool {
	e := l.placing.pending[c]
	if e == nil {
		return false
	}
	l.dropPending(c)
	l.placing.journal.End(e, false)
	l.checkDrained()
	return true
}

// dropPending forgets that the request of c waits for its place.
func (l *loop[N]) dropPending(c *call[N]) {
	delete(l.placing.pending, c)
	l.live--
	if c.mode == modeTicket {
		c.ticket.proposed = nil // its client may use the call again
	}
}

// endEntry tells the journal that r ends. It returns false if r must stay in the table until the
// journal says more: it is over for its holder, like a grant that lives on for requests inside it.
func (l *loop[N]) endEntry(r *request[N]) bool {
	x := r.Who.extra
	if x.entry.Manager == nil || l.placing.journal.End(x.entry, r.WaitedFor()) {
		return true
	}
	x.released = true
	return false
}

// narrowEntry tells the journal that r is to hold claims instead, if it holds them.
func (l *loop[N]) narrowEntry(
	r *request[N], e *journal.Entry[N], claims []locktable.Claim[N],
) error {
	if !l.table.Holds(r, claims) {
		return treelock.ErrNotHeld
	}
	return l.placing.journal.Narrow(e, cloneClaims(claims))
}

// attach ties the request r, which has just arrived, to the entry whose place it has.
func (l *loop[N]) attach(r *request[N]) {
	r.Who.extra = &extra[N]{entry: l.placing.now}
	l.placing.now.Manager = r
}

// grantPlaced prepares the grant of a request that has waited: the token of a request of this
// process is its place. It returns false for a request of another process, which has no client
// here.
func (l *loop[N]) grantPlaced(r *request[N]) bool {
	if foreign(r) {
		r.Who.since = l.now
		r.Who.meta = r.Who.meta.granted()
		return false
	}
	if e := entryOf(r); e != nil { // a request inside a grant has none
		l.nextToken = e.Token
	}
	return true
}

// unplace ends the entry that arrives at this moment, as its request is refused. Others may wait
// for it until the log says that.
func (l *loop[N]) unplace() {
	l.placing.journal.End(l.placing.now, true)
	l.checkDrained()
}

// A mirror is the loop of a manager, as its journal sees it.
type mirror[N treelock.Node[N]] struct{ l *loop[N] }

func (v mirror[N]) Arrive(e *journal.Entry[N]) {
	l := v.l
	l.readClock()
	if e.Process != "" {
		l.arriveForeign(e)
		return
	}
	c := e.Manager.(*call[N])
	l.dropPending(c)
	l.placing.now, l.nextToken = e, e.Token // it is the token if the request is granted at once
	l.acquire(c, nil, 0)
	l.placing.now = nil
}

// arriveForeign is the arrival of a request of another process.
func (l *loop[N]) arriveForeign(e *journal.Entry[N]) {
	r := l.table.Submit(e.Claims)
	older := e.Earlier && e.Made.IsZero()
	l.enroll(r, l.root, &requestMeta{label: e.Label, process: e.Process, queue: -1, older: older})
	if e.Earlier && !older {
		// The clock of the other process may be ahead of this one.
		r.Who.since -= instant(max(0, time.Now().Round(0).Sub(e.Made)))
	}
	r.Who.extra = &extra[N]{entry: e}
	e.Manager = r
	if !r.Granted() && len(l.asked[wantedSignal]) > 0 {
		l.signalWanted(l.root)
	}
}

func (v mirror[N]) Ended(e *journal.Entry[N]) {
	v.l.readClock()
	r := e.Manager.(*request[N])
	e.Manager = nil // it has ended for the journal
	v.l.end(r)
}

func (v mirror[N]) Held(h treelock.Hold) (*journal.Entry[N], error) {
	r := requestOf[N](h.Ref)
	if err := v.l.overErr(r, h.Number); err != nil {
		return nil, err
	}
	for r.Who.scope.owner != nil {
		r = r.Who.scope.owner
	}
	// A grant that was released may live on for the one that is asked about.
	return entryOf(r), nil
}

func (v mirror[N]) Depart(e *journal.Entry[N]) {
	l := v.l
	l.readClock()
	l.deliverAll(l.table.End(e.Manager.(*request[N])))
	for _, c := range l.placing.revoking[e] {
		c.replies <- verdictDone
	}
	delete(l.placing.revoking, e)
}

func (v mirror[N]) Granted(e *journal.Entry[N]) bool { return e.Manager.(*request[N]).Granted() }

func (v mirror[N]) Narrow(e *journal.Entry[N], claims []locktable.Claim[N]) bool {
	granted, ok := v.l.table.Narrow(e.Manager.(*request[N]), claims)
	if ok {
		v.l.deliverAll(granted)
	}
	return ok
}

func (v mirror[N]) LoseAll(cause error) {
	l, err := v.l, lostErr(cause)
	for c, e := range l.placing.pending {
		l.losePending(c, e, err)
	}
	// The latest request goes first, so no request of this process is granted what another loses.
	for _, r := range slices.Backward(l.table.Requests()) {
		// The step before may have ended it: the last request inside a released grant ends that,
		// too.
		if r.Seq() == 0 || foreign(r) {
			continue
		}
		if l.lose(r, err); r.Seq() != 0 {
			l.end(r) // it was over for its holder already
		}
	}
	l.failRevoking(err)
	l.checkDrained()
}

// failRevoking ends the calls of Revoke that wait: the entries of other processes leave the mirror,
// and may live on.
func (l *loop[N]) failRevoking(err error) {
	for _, calls := range l.placing.revoking {
		for _, c := range calls {
			l.refuse(c, err)
		}
	}
	clear(l.placing.revoking)
}

// losePending ends the request of c, which has no place yet.
func (l *loop[N]) losePending(c *call[N], e *journal.Entry[N], err error) {
	l.dropPending(c)
	l.placing.journal.End(e, false)
	l.failProposal(c, err)
}

// failProposal tells the client of c that its request gets no place.
func (l *loop[N]) failProposal(c *call[N], err error) {
	if c.mode == modeTicket {
		c.ticket.endWith(err)
		c.replies <- verdictDone // it has the ticket, which says why
		return
	}
	c.refuse(err)
}

func (v mirror[N]) Lose(e *journal.Entry[N], cause error) {
	l, err := v.l, lostErr(cause)
	if c, ok := e.Manager.(*call[N]); ok && l.placing.pending[c] == e {
		l.losePending(c, e, err)
		l.checkDrained()
		return
	}
	if r, ok := e.Manager.(*request[N]); ok {
		l.lose(r, err)
	}
}

func (v mirror[N]) Do(f func()) bool { return v.l.m.inspect(doer[N](f)) }

// A doer is the inspector that runs a step of the journal.
type doer[N treelock.Node[N]] func()

func (f doer[N]) inspect(*loop[N]) { f() }
