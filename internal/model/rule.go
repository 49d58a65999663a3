package model

import "slices"

// An Asker is what a [Rule] needs to know of a request, of type R.
type Asker[R any] interface {
	// Conflicts reports whether the requests conflict. It is symmetric.
	Conflicts(other R) bool

	// Inside reports whether a holder of held holds all of the request.
	Inside(held R) bool

	// ConflictsBeside reports whether the request, by which a holder of held widens, conflicts with
	// other at a node at which held and other do not conflict.
	ConflictsBeside(held, other R) bool

	// Without returns the claims of the request that are not inside held. ok is false if there are
	// none.
	Without(held R) (rest R, ok bool)

	// With returns the claims of both requests.
	With(other R) R
}

// A Rule is the admission rule for requests of type R. The zero Rule is empty. A request is known
// by its rank, which is the number of live requests that arrived before it. A widening that waits
// is a request of its own, which arrived at the moment of the call that asked for it.
//
// The ranks that a method returns are valid until the next call.
type Rule[R Asker[R]] struct {
	live    []entry[R] // by arrival
	lastID  int
	granted []int // storage

	suspends []suspends[R]
}

type entry[R any] struct {
	req     R // what it holds if it is granted, otherwise what it asks for
	granted bool

	id       int   // positive
	widens   int   // the id of the grant if it is a widening
	in       int   // the id of the grant that it is inside, or 0
	under    []int // the ids of the grants that its caller holds while it waits
	released bool  // a grant that lives on for the grants inside it
}

// Submit is the arrival of a request. It returns its rank if it is granted.
func (r *Rule[R]) Submit(req R) (granted []int) { return r.SubmitIn(-1, nil, req) }

// SubmitUnder is Submit for a call that blocks under a context that carries the grant of a rank.
func (r *Rule[R]) SubmitUnder(rank int, req R) (granted []int) {
	return r.SubmitIn(-1, []int{rank}, req)
}

// SubmitIn is Submit for a request inside the grant of rank in, or outside of all if that is
// negative. It blocks under a context that carries the grants of the ranks under.
func (r *Rule[R]) SubmitIn(in int, under []int, req R) (granted []int) {
	e := entry[R]{req: req, id: r.newID(), under: r.ids(under)}
	if in >= 0 {
		e.in = r.live[in].id
	}
	r.live = append(r.live, e)
	return r.admit()
}

func (r *Rule[R]) newID() int {
	r.lastID++
	return r.lastID
}

// ids returns the ids of the requests of some ranks.
func (r *Rule[R]) ids(ranks []int) (ids []int) {
	for _, rank := range ranks {
		ids = append(ids, r.live[rank].id)
	}
	return ids
}

// End releases or withdraws a request, together with its widening and with what waits inside it. It
// returns the ranks of the requests granted by that. A grant lives on, as released, while there are
// grants inside it.
func (r *Rule[R]) End(rank int) (granted []int) {
	id := r.live[rank].id
	r.live[rank].released = true
	r.live = slices.DeleteFunc(r.live, func(e entry[R]) bool {
		return e.widens == id || e.in == id && !e.granted || e.id == id && !e.granted
	})
	over := func(e entry[R]) bool {
		return e.released && !slices.ContainsFunc(r.live, func(sub entry[R]) bool { return sub.in == e.id })
	}
	for i := slices.IndexFunc(r.live, over); i >= 0; i = slices.IndexFunc(r.live, over) {
		r.live = slices.Delete(r.live, i, i+1)
	}
	return r.admit()
}

// Narrow replaces what a request holds by req, and returns the ranks of the requests granted by
// that. It returns false and changes nothing if the request does not hold all of req, or has a
// widening.
func (r *Rule[R]) Narrow(rank int, req R) (granted []int, ok bool) {
	if !r.live[rank].granted || r.Widening(rank) >= 0 || !req.Inside(r.live[rank].req) {
		return nil, false
	}
	r.live[rank].req = req
	return r.admit(), true
}

// Widen is the arrival of a widening of a granted request that has none. It returns the rank of the
// request if it holds more from now on. Otherwise the widening waits and is the last request, or
// waits is false and req is inside what the request holds. The call blocks under a context that
// carries the grants of the ranks under.
func (r *Rule[R]) Widen(rank int, req R, under ...int) (granted []int, waits bool) {
	req, ok := req.Without(r.live[rank].req)
	if !ok {
		return nil, false
	}
	grant := r.live[rank]
	r.live = append(r.live, entry[R]{req: req, id: r.newID(), widens: grant.id, in: grant.in, under: r.ids(under)})
	granted = r.admit()
	return granted, len(granted) == 0
}

// Live returns the number of live requests.
func (r *Rule[R]) Live() int { return len(r.live) }

// Request returns what a request asks for or holds.
func (r *Rule[R]) Request(rank int) R { return r.live[rank].req }

// Granted reports whether a request is granted.
func (r *Rule[R]) Granted(rank int) bool { return r.live[rank].granted }

// Widening returns the rank of the widening of a request that waits, or -1.
func (r *Rule[R]) Widening(rank int) int {
	return slices.IndexFunc(r.live, func(e entry[R]) bool { return e.widens == r.live[rank].id })
}

// Widens returns the rank of the grant that a request widens, or -1.
func (r *Rule[R]) Widens(rank int) int { return r.rank(r.live[rank].widens) }

// Under returns the rank of the first grant that the caller of a request holds while it waits, or
// -1. The grant may have ended.
func (r *Rule[R]) Under(rank int) int {
	if under := r.live[rank].under; len(under) > 0 {
		return r.rank(under[0])
	}
	return -1
}

// In returns the rank of the grant that a request is inside, or -1.
func (r *Rule[R]) In(rank int) int { return r.rank(r.live[rank].in) }

// rank returns the rank of a live request, or -1.
func (r *Rule[R]) rank(id int) int {
	return slices.IndexFunc(r.live, func(e entry[R]) bool { return e.id == id })
}

// Waiting returns how many requests are live and not granted.
func (r *Rule[R]) Waiting() (waiting int) {
	for i := range r.live {
		if !r.live[i].granted {
			waiting++
		}
	}
	return waiting
}

// Blockers returns the ranks of the live requests that a waiting request waits for. Of a granted
// request, it returns the ranks of the earlier ones that conflict.
func (r *Rule[R]) Blockers(rank int) (ranks []int) {
	for other := range r.live {
		a, b := &r.live[rank], &r.live[other]
		if a.granted && other < rank && a.in == b.in && a.req.Conflicts(b.req) || r.Waits(rank, other) {
			ranks = append(ranks, other)
		}
	}
	return ranks
}

// Waits reports whether the request of rank a waits for that of rank b: if something that a asks
// for conflicts with something that b holds, or that b asks for at an earlier place. Of the latter
// a widening passes those that wait for its grant at the same node. Requests wait only for those
// that are inside the same grant, if any.
func (r *Rule[R]) Waits(a, b int) bool {
	asks, other := &r.live[a], &r.live[b]
	switch grant := r.rank(asks.widens); {
	case asks.granted || a == b || b == grant || asks.in != other.in:
		return false
	case other.granted:
		return asks.req.Conflicts(other.req)
	case b > a:
		return false
	case grant >= 0:
		return asks.req.ConflictsBeside(r.live[grant].req, other.req)
	default:
		return asks.req.Conflicts(other.req)
	}
}

// admit grants each request that waits for no other, until there is none. It returns the ranks of
// the requests that hold something new.
func (r *Rule[R]) admit() []int {
	var ids []int
	for free := r.free(); len(free) > 0; free = r.free() {
		for _, rank := range free {
			e := &r.live[rank]
			e.granted = true
			if grant := r.rank(e.widens); grant >= 0 {
				r.live[grant].req = r.live[grant].req.With(e.req)
				ids = append(ids, e.widens)
			} else {
				ids = append(ids, e.id)
			}
		}
		r.live = slices.DeleteFunc(r.live, func(e entry[R]) bool { return e.granted && e.widens > 0 })
	}
	r.granted = r.granted[:0]
	for _, id := range ids {
		r.granted = append(r.granted, r.rank(id))
	}
	slices.Sort(r.granted)
	return r.granted
}

// free returns the ranks of the requests that are not granted and wait for no other.
func (r *Rule[R]) free() (free []int) {
	for rank := range r.live {
		if !r.live[rank].granted && !slices.ContainsFunc(r.ranks(), func(other int) bool { return r.Waits(rank, other) }) {
			free = append(free, rank)
		}
	}
	return free
}

// ranks returns all ranks.
func (r *Rule[R]) ranks() []int {
	all := make([]int, len(r.live))
	for i := range all {
		all[i] = i
	}
	return all
}

// OnCircle reports whether the request of a rank is on a circle of requests that wait for one
// another. A grant and its widening are one request here, which waits for the requests that are
// made under its context.
func (r *Rule[R]) OnCircle(rank int) bool {
	start, seen := r.vertex(rank), make([]bool, len(r.live))
	for next := []int{start}; len(next) > 0; {
		a := next[0]
		next = next[1:]
		for b := range r.live {
			if !r.Before(a, b) {
				continue
			}
			if b = r.vertex(b); b == start {
				return true
			}
			if !seen[b] {
				seen[b] = true
				next = append(next, b)
			}
		}
	}
	return false
}

// Before reports whether a request lasts until that of rank b ends: it or its widening waits for
// that one, the caller of that one holds it while that one waits, it is a grant and that one is a
// grant inside it, or the caller of a Suspend that waits for that one holds it. A grant does not
// wait for its own widening.
func (r *Rule[R]) Before(a, b int) bool {
	switch widening := r.Widening(a); {
	case r.vertex(b) == a:
		return false
	case r.Waits(a, b) || widening >= 0 && r.Waits(widening, b), r.heldBySuspend(a, b):
		return true
	case r.live[b].granted:
		return r.In(b) == a
	default:
		return !r.live[a].released && slices.Contains(r.live[b].under, r.live[a].id)
	}
}

// vertex returns the rank of the grant if the request of a rank is a widening, otherwise rank.
func (r *Rule[R]) vertex(rank int) int {
	if grant := r.Widens(rank); grant >= 0 {
		return grant
	}
	return rank
}
