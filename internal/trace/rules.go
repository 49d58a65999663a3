package trace

import (
	"errors"
	"slices"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// next does a step in the model, and sets want.
func (r *Replay[N]) next(s *Step[N], req treelock.Request[node[N]]) {
	switch s.Kind {
	case Acquire:
		r.acquire(s, req)
	case Release:
		r.release(s.Number)
	case Cancel:
		r.cancel(s)
	case Withdraw:
		r.withdraw(s)
	case Narrow:
		r.narrow(s.Number, req)
	case Widen:
		r.widen(s, req)
	case Revoke:
		r.revoke(s.Number)
	case WaitUnder:
		r.waitUnder(s)
	case Check:
		r.check(s, req)
	case Drain:
		if len(r.live) > 0 {
			saw(DrainLive)
		}
	case Stop:
		r.stop()
	}
}

// refuse is the answer that refuses a step.
func (r *Replay[N]) refuse(err error, a Action) {
	r.want.Err = err
	saw(a)
}

// either returns the action for a request inside a grant or outside.
func either(inside uint64, in, out Action) Action {
	if inside != 0 {
		return in
	}
	return out
}

func (r *Replay[N]) acquire(s *Step[N], req treelock.Request[node[N]]) {
	in := s.Number
	switch {
	case in == 0 && r.draining:
		r.refuse(treelock.ErrDraining, AcquireDraining)
		return
	case in != 0 && !r.isHeld(in):
		err, a := r.over(in, s.Err), InsideReleased
		if err == treelock.ErrLost {
			a = InsideLost
		}
		r.refuse(err, a)
		return
	case in != 0 && !model.Inside(req, r.request(in)):
		r.refuse(treelock.ErrNotHeld, InsideNotHeld)
		return
	}
	if r.suspended(s) {
		return
	}
	m := r.scopes[in]
	if m == nil {
		m = new(model.Model[node[N]])
		r.scopes[in] = m
	}
	n := r.number(s)
	waiting := r.waiting()
	granted := m.Submit(name(n), req)
	r.live[n] = &request{inside: in}
	if len(granted) > 0 {
		r.want.Arrived, r.want.Granted = n, []Grant{{Number: n}}
		saw(either(in, InsideGranted, AcquireGranted))
		return
	}
	if !r.mayWait(s, n, waiting, [3]Action{AcquireConflict, AcquireBusy, AcquireDeadlock}) {
		r.forget(n)
		return
	}
	r.want.Arrived = n
	saw(either(in, InsideWaits, AcquireWaits))
}

// mayWait decides whether the request n, which has just arrived, may wait. waiting is how many
// waited before.
func (r *Replay[N]) mayWait(s *Step[N], n uint64, waiting int, refused [3]Action) bool {
	switch {
	case !s.MayWait:
		r.refuse(treelock.ErrConflict, refused[0])
	case r.options.MaxWaiting >= 0 && waiting >= r.options.MaxWaiting:
		r.refuse(treelock.ErrBusy, refused[1])
	case s.Limited && s.Err != nil && errors.Is(s.Err, treelock.ErrBusy): // the model has no queues
		r.refuse(treelock.ErrBusy, QueueTooLong)
	case r.closesCircle(n, s.Under):
		r.refuse(treelock.ErrDeadlock, refused[2])
	default:
		return true
	}
	return false
}

// suspended counts the probe for what is suspended. Whether that refuses the request is what the
// manager says: the model has no suspensions.
func (r *Replay[N]) suspended(s *Step[N]) bool {
	if !s.Probed {
		return false
	}
	if r.known {
		r.lastNumber++
	}
	if s.Err == nil || !errors.Is(s.Err, treelock.ErrSuspended) {
		return false
	}
	r.refuse(treelock.ErrSuspended, RefusedSuspended)
	return true
}

// number returns the number of the next arrival.
func (r *Replay[N]) number(s *Step[N]) uint64 {
	if !r.known && s.Arrived == 0 {
		return r.lastNumber + 1 // any number: nothing is live, and the request will not be
	}
	if !r.known {
		r.lastNumber, r.known = s.Arrived-1, true
	}
	r.lastNumber++
	return r.lastNumber
}

// forget removes the latest request, which is refused.
func (r *Replay[N]) forget(n uint64) {
	q := r.live[n]
	r.scopeOf(n).End(name(n))
	delete(r.live, n)
	if q.inside != 0 && len(r.inside(q.inside)) == 0 {
		delete(r.scopes, q.inside)
	}
}

// over returns why a request that is not held is over. If the replay cannot know, got decides.
func (r *Replay[N]) over(n uint64, got error) error {
	if slices.Contains(r.lost, n) || r.anyLost && got != nil && errors.Is(got, treelock.ErrLost) {
		return treelock.ErrLost
	}
	return treelock.ErrReleased
}

// check asks whether a request would be granted. It takes a number.
func (r *Replay[N]) check(s *Step[N], req treelock.Request[node[N]]) {
	if r.draining {
		r.refuse(treelock.ErrDraining, CheckDraining)
		return
	}
	if r.suspended(s) {
		return
	}
	n := r.number(s)
	if len(r.scopes[0].Submit(name(n), req)) > 0 {
		saw(CheckFree)
	} else {
		r.refuse(treelock.ErrConflict, CheckConflict)
	}
	r.scopes[0].End(name(n))
}

func (r *Replay[N]) release(n uint64) {
	q := r.live[n]
	switch {
	case q == nil:
		r.lost = slices.DeleteFunc(r.lost, func(l uint64) bool { return l == n })
		saw(ReleaseOver)
		return
	case q.released:
		saw(ReleaseOver)
		return
	}
	saw(ReleaseHeld)
	if q.widening != 0 {
		saw(ReleaseFailsWidening)
		r.fail(q.widening, treelock.ErrReleased)
	}
	if r.failInside(n, treelock.ErrReleased) {
		saw(ReleaseFailsInside)
	}
	if len(r.inside(n)) > 0 {
		saw(ReleaseAroundGrants)
		q.released = true
		return
	}
	r.end(n)
}

// failInside fails the requests that wait inside a grant, the latest first.
func (r *Replay[N]) failInside(n uint64, err error) (failed bool) {
	for _, inner := range slices.Backward(r.inside(n)) {
		if r.isWaiting(inner) {
			r.fail(inner, err)
			failed = true
		}
	}
	return failed
}

// fail ends a request that waits.
func (r *Replay[N]) fail(n uint64, err error) {
	r.want.Failed = append(r.want.Failed, Failure{n, err})
	r.end(n)
}

// end ends a live request.
func (r *Replay[N]) end(n uint64) {
	q := r.live[n]
	granted := r.scopeOf(n).End(name(n))
	delete(r.live, n)
	r.want.Ended = append(r.want.Ended, n)
	if grant := r.live[q.widens]; grant != nil {
		grant.widening = 0
	}
	r.grant(granted, GrantAfterEnd)
	if q.inside == 0 || len(r.inside(q.inside)) > 0 {
		return
	}
	delete(r.scopes, q.inside)
	if r.live[q.inside].released {
		saw(ReleaseLastInside)
		r.end(q.inside)
	}
}

// grant notes the requests that a step grants, and the grants that it widens.
func (r *Replay[N]) grant(granted []string, a Action) {
	for _, name := range granted {
		n := number(name)
		r.want.Granted = append(r.want.Granted, Grant{Number: n})
		q := r.live[n]
		q.under = nil
		saw(a)
		if q.widening != 0 {
			saw(WidenedAfterEnd)
			delete(r.live, q.widening)
			q.widening = 0
		}
	}
}

func (r *Replay[N]) cancel(s *Step[N]) {
	n, q := s.Number, r.live[s.Number]
	switch {
	case s.Widens && !r.isWaiting(n):
		saw(CancelWidened) // it stays
	case s.Widens:
		saw(CancelWidening)
		r.end(n)
	case q == nil:
		r.lost = slices.DeleteFunc(r.lost, func(l uint64) bool { return l == n })
		saw(CancelOver)
	case r.isWaiting(n):
		saw(CancelWaiting)
		r.end(n)
	default:
		saw(CancelGranted)
		r.release(n)
	}
}

// withdraw ends a ticket. Only the manager can know whether a client has received its grant.
func (r *Replay[N]) withdraw(s *Step[N]) {
	switch {
	case r.isWaiting(s.Number):
		saw(WithdrawWaiting)
		r.end(s.Number)
	case r.isHeld(s.Number) && slices.Contains(s.Ended, s.Number):
		saw(WithdrawGranted)
		r.release(s.Number)
	default:
		saw(WithdrawReceived)
		if i := slices.Index(r.lost, s.Number); i >= 0 { // the manager may have forgotten it
			r.lost, r.anyLost = slices.Delete(r.lost, i, i+1), true
		}
	}
}

func (r *Replay[N]) narrow(n uint64, req treelock.Request[node[N]]) {
	switch {
	case !r.isHeld(n):
		r.refuse(treelock.ErrNotHeld, NarrowOver)
		return
	case r.live[n].widening != 0:
		r.refuse(treelock.ErrWidening, NarrowWidening)
		return
	}
	for _, inner := range r.inside(n) {
		if !model.Inside(r.request(inner), req) {
			r.refuse(treelock.ErrNotHeld, NarrowAroundInside)
			return
		}
	}
	granted, ok := r.scopeOf(n).Narrow(name(n), req)
	if !ok {
		r.refuse(treelock.ErrNotHeld, NarrowNotHeld)
		return
	}
	saw(NarrowHeld)
	r.grant(granted, GrantAfterNarrow)
}

func (r *Replay[N]) widen(s *Step[N], req treelock.Request[node[N]]) {
	n := s.Number
	switch q := r.live[n]; {
	case !r.isHeld(n):
		r.refuse(r.over(n, s.Err), WidenReleased)
		return
	case q.widening != 0:
		r.refuse(treelock.ErrWidening, WidenWidening)
		return
	case r.suspended(s):
		return
	case q.inside != 0 && !r.isHeld(q.inside):
		r.refuse(r.over(q.inside, s.Err), WidenReleased)
		return
	case q.inside != 0 && !model.Inside(req, r.request(q.inside)):
		r.refuse(treelock.ErrNotHeld, WidenInsideNotHeld)
		return
	case s.Err != nil && errors.Is(s.Err, treelock.ErrTooWide): // the model does not count claims
		r.refuse(treelock.ErrTooWide, WidenTooWide)
		return
	}
	if model.Inside(req, r.request(n)) {
		saw(WidenNothing)
		return
	}
	w, waiting := r.number(s), r.waiting()
	granted, waits := r.scopeOf(n).Widen(name(n), name(w), req)
	if !waits {
		saw(WidenAtOnce)
		r.grant(granted, WidenAtOnce)
		return
	}
	r.live[w], r.live[n].widening = &request{inside: r.live[n].inside, widens: n}, w
	if !r.mayWait(s, w, waiting, [3]Action{WidenConflict, WidenBusy, WidenDeadlock}) {
		r.live[n].widening = 0
		r.forget(w)
		return
	}
	saw(WidenWaits)
	r.want.Arrived = w
}

// stop fails all requests that wait.
func (r *Replay[N]) stop() {
	saw(either(uint64(r.waiting()), StopWaiting, StopIdle))
	for n := range r.live {
		if r.isWaiting(n) {
			r.want.Failed = append(r.want.Failed, Failure{Number: n})
		}
	}
}
