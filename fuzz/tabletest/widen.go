package tabletest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/treelock/treelock/internal/locktable"
)

// SubmitUnder is Submit for a call that blocks while its caller holds the request of a rank, which
// is granted. The request is refused if it closes a circle.
func (h *Harness[N, R]) SubmitUnder(rank, who int, req Request[N, R]) (refused bool, err error) {
	under := h.live[rank].Request
	want := h.Rule.SubmitUnder(rank, req.Rule)
	r := liveRequest[N]{h.submit(who, req), req.NodeUses, under.Seq()}
	if err := h.submitted(want, who, r); err != nil || r.Granted() {
		return false, err
	}
	return h.refuseCircle(under)
}

// Widen is the arrival of a widening of the request of a rank, which is granted and has none. It is
// refused if it closes a circle. Then the table is as before, except that the request may read
// nodes, inside what it holds, that it did not use.
func (h *Harness[N, R]) Widen(rank, who int, req Request[N, R]) (refused bool, err error) {
	r := h.live[rank].Request
	want, waits := h.Rule.Widen(rank, req.Rule)
	h.widened = true
	w, changed := h.Table.Widen(r, req.Claims)
	if w != nil {
		w.Who = who
	}
	switch {
	case (w != nil) != waits || changed != (len(want) > 0):
		return false, fmt.Errorf("I2: Widen returns %t, %t, want %t, %t", w != nil, changed, waits, len(want) > 0)
	case w == nil:
		return false, h.compare(want, h.grants(want)...)
	case w.Widens() != r || r.Widening() != w || !w.Waiting():
		return false, errors.New("I10: a widening that waits and its grant do not know each other")
	}
	h.live = append(h.live, liveRequest[N]{w, 0, 0})
	if err := h.checkNew(who, w); err != nil {
		return false, err
	}
	if err := h.compare(nil); err != nil {
		return false, err
	}
	return h.refuseCircle()
}

// grants returns the requests of some ranks.
func (h *Harness[N, R]) grants(ranks []int) (all []*locktable.Request[N, int]) {
	for _, rank := range ranks {
		all = append(all, h.live[rank].Request)
	}
	return all
}

// refuseCircle ends the latest request, which waits, if it closes a circle. The caller of it holds
// from.
func (h *Harness[N, R]) refuseCircle(from ...*locktable.Request[N, int]) (refused bool, err error) {
	rank := len(h.live) - 1
	circle := h.Table.Circle(h.live[rank].Request, from, h.up)
	if want := h.Rule.OnCircle(rank); want != (circle != nil) {
		return false, fmt.Errorf("I11: the search finds circle %v, want one: %t", circle, want)
	}
	if circle == nil {
		return false, nil
	}
	if err := h.checkCircle(circle); err != nil {
		return true, err
	}
	granted, err := h.End(rank)
	if err == nil && len(granted) > 0 {
		err = errors.New("I11: the end of a request that was refused has granted another one")
	}
	return true, err
}

// up returns the requests that r keeps waiting beyond the queues.
func (h *Harness[N, R]) up(r *locktable.Request[N, int]) (all []*locktable.Request[N, int]) {
	under := h.live[h.rank(r)].under
	for _, l := range h.live {
		if l.Seq() == under && r.Waiting() {
			all = append(all, l.Request)
		}
	}
	return all
}

// rank returns the rank of a request, or -1.
func (h *Harness[N, R]) rank(r *locktable.Request[N, int]) int {
	return slices.IndexFunc(h.live, func(l liveRequest[N]) bool { return l.Request == r })
}

// checkCircle checks that each request of a circle waits for the next, because of the claims that
// it says.
func (h *Harness[N, R]) checkCircle(circle []locktable.Step[N, int]) error {
	for i, step := range circle {
		next := circle[(i+1)%len(circle)].Request
		a, b := h.rank(step.Request), h.rank(next)
		if a < 0 || b < 0 || h.Rule.Widens(a) >= 0 {
			return fmt.Errorf("I11: step %d of the circle is not live, or is a widening", i)
		}
		if step.Waiting == nil {
			if !h.Rule.Before(a, b) {
				return fmt.Errorf("I11: step %d of the circle: rank %d does not wait for rank %d", i, a, b)
			}
			continue
		}
		waiting, holder := h.rank(step.Waiting), h.rank(step.For)
		if waiting != a && h.Rule.Widens(waiting) != a || holder != b && h.Rule.Widens(holder) != b || !h.Rule.Waits(waiting, holder) {
			return fmt.Errorf("I11: step %d of the circle: rank %d does not wait for rank %d", i, waiting, holder)
		}
		claim, wanted := h.claimOf(step.Why.Claim), h.claimOf(step.Why.Wanted)
		if !claim.Conflicts(wanted) || !claim.Inside(h.Rule.Request(holder)) || !wanted.Inside(h.Rule.Request(waiting)) {
			return fmt.Errorf("I11: step %d of the circle: rank %d waits for %d because of %v and %v", i, waiting, holder, step.Why.Wanted, step.Why.Claim)
		}
	}
	return nil
}

// widenedGrants removes the widenings among granted, which are not live any more, and returns their
// grants instead.
func (h *Harness[N, R]) widenedGrants(granted []*locktable.Request[N, int]) ([]*locktable.Request[N, int], error) {
	granted = slices.Clone(granted)
	for i, w := range granted {
		grant := w.Widens()
		if grant == nil {
			continue
		}
		if rank := h.rank(w); rank < 0 || w.Seq() != 0 || grant.Widening() != nil {
			return nil, errors.New("I6: a widening is granted that is not live, or goes on")
		}
		h.live = slices.Delete(h.live, h.rank(w), h.rank(w)+1)
		granted[i] = grant
	}
	return granted, nil
}
