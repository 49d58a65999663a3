package manager

import (
	"context"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/terms"
)

// A circle is a list of live requests. Each of them lasts until the next one ends, and the last one
// until the first one ends. A request lasts until another one ends in four cases:
//
//   - It waits for the other one.
//   - It is held by the caller of the other one, which waits: the context of that call carries it.
//   - It is a grant, and the other one is a grant inside it.
//   - It is held by the caller of a Suspend that waits for the other one.
//
// Only a call that blocks while its caller holds something can close a circle: a request that waits
// is later than what it waits for. So the manager goroutine looks for a circle when such a call
// begins to wait, and refuses the call if there is one (I11). Then no circle is ever closed.

// grantsIn returns the grants of m that ctx carries, the innermost first. It calls ctx, which may
// be user code, so a client calls it before its request arrives.
func (m *Manager[N]) grantsIn(ctx context.Context) (grants []treelock.Hold) {
	for g := range treelock.GrantsOf[N](ctx) {
		if g.Engine() == m.Engine() {
			grants = append(grants, g.Hold())
		}
	}
	return grants
}

// blockUnder notes the grants that the caller of the waiting request r holds. It returns the error
// that refuses r if its wait would close a circle. On the manager goroutine.
//
// r is in its queues already, since only these say what it waits for. If it is refused, the caller
// of blockUnder ends it in the same step, or withdraws its ticket.
func (l *loop[N]) blockUnder(r *request[N], under []treelock.Hold) error {
	l.trace.under(r.Seq(), under)
	held := l.stillHeld(nil, under)
	// A caller that holds nothing closes no circle. The caller of a widening holds its grant, which
	// Circle knows.
	if len(held) == 0 && r.Widens() == nil {
		return nil
	}
	steps := r.Who.scope.table.Circle(r, held, l.lastsFor)
	if steps != nil {
		l.stats.Deadlocks++
		err := l.deadlockError(steps)
		l.trace.refused(err)
		return err
	}
	// Later searches go on from r to these grants. under is kept, and not held: each search looks
	// anew which of them are still held, as the storage of a released one is reused.
	if len(held) > 0 {
		x := l.extraOf(r)
		x.under = append(x.under, under...) // several clients may wait for one ticket
	}
	return nil
}

// stillHeld appends those of refs to held that are not over. A context may carry a grant that was
// released or lost since.
func (l *loop[N]) stillHeld(held []*request[N], refs []treelock.Hold) []*request[N] {
	for _, g := range refs {
		if r := requestOf[N](g.Ref); l.overErr(r, g.Number) == nil {
			held = append(held, r)
		}
	}
	return held
}

// lastsFor returns the grants that last until r ends. If r waits, these are what the caller of r
// holds. If r is a grant, it is the grant that r is inside. If a Suspend waits for r, they are also
// what the caller of that holds.
//
// A grant does not last for a request that only waits inside it: Release fails that.
func (l *loop[N]) lastsFor(r *request[N]) (grants []*request[N]) {
	for _, s := range l.suspensions {
		if s.live[r.Seq()] {
			grants = l.stillHeld(grants, s.under)
		}
	}
	switch owner := r.Who.scope.owner; {
	case r.Waiting() && r.Who.extra != nil:
		return l.stillHeld(grants, r.Who.extra.under)
	case r.Granted() && owner != nil:
		return append(grants, owner)
	default:
		return grants
	}
}

// deadlockError returns the error that names the requests of a circle.
func (l *loop[N]) deadlockError(steps []locktable.Step[N, client[N]]) *treelock.DeadlockError[N] {
	circle := make([]treelock.DeadlockStep[N], len(steps))
	for i := range steps {
		r, next := steps[i].Request, steps[(i+1)%len(steps)].Request
		// The table knows why a request in a queue waits. Otherwise lastsFor led from next to r,
		// for one of its two reasons.
		s := stepOf(r)
		if why := &steps[i].Why; steps[i].Waiting != nil {
			s.Link = treelock.LinkWaits
			s.Wanted = terms.ClaimOf(why.Wanted.Node, why.Wanted.Mode)
			s.Claim = terms.ClaimOf(why.Claim.Node, why.Claim.Mode)
		} else if next.Granted() && next.Who.scope.owner == r {
			s.Link = treelock.LinkInside
		} else if l.suspendsUntil(r, next) {
			s.Link = treelock.LinkSuspend
		}
		circle[i] = s
	}
	return &treelock.DeadlockError[N]{Circle: circle}
}

// stepOf returns the step of a circle at which r lasts as the caller of the next request holds it.
func stepOf[N treelock.Node[N]](r *request[N]) treelock.DeadlockStep[N] {
	meta := r.Who.meta
	return treelock.DeadlockStep[N]{
		Number: r.Seq(), Label: meta.labelOf(), Tag: meta.tagOf(), Link: treelock.LinkHolder,
	}
}

// waitForAll refuses an op that waits for all live requests, if its caller holds one of grants: the
// op would wait for its own caller. It needs no search, as the op would be a circle of one step.
// The op checks before it begins, so that a refused one has done nothing.
func (m *Manager[N]) waitForAll(op string, grants []treelock.Hold) error {
	if len(grants) == 0 {
		return nil
	}
	w := waiterForAll[N]{op: op, grants: grants}
	m.inspect(&w)
	return w.deadlock
}

// A waiterForAll is the inspector that finds out whether the caller of an op holds a grant.
type waiterForAll[N treelock.Node[N]] struct {
	op       string
	grants   []treelock.Hold
	deadlock error
}

func (w *waiterForAll[N]) inspect(l *loop[N]) {
	if held := l.stillHeld(nil, w.grants); len(held) > 0 {
		w.deadlock = l.ownGrant(w.op, held[0])
	}
}

// ownGrant returns the error for an op that waits for a grant of its own caller.
func (l *loop[N]) ownGrant(op string, r *request[N]) error {
	l.stats.Deadlocks++
	return &treelock.DeadlockError[N]{Op: op, Circle: []treelock.DeadlockStep[N]{stepOf(r)}}
}
