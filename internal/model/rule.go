package model

import "slices"

// An Asker is what a [Rule] needs to know of a request, of type R.
type Asker[R any] interface {
	// Conflicts reports whether the requests conflict. It is symmetric.
	Conflicts(other R) bool

	// Inside reports whether a holder of held may narrow it to this request.
	Inside(held R) bool
}

// A Rule is the admission rule for requests of type R. The zero Rule is empty. A request is known
// by its rank, which is the number of live requests that arrived before it.
//
// The ranks that a method returns are valid until the next call.
type Rule[R Asker[R]] struct {
	live    []entry[R] // by arrival
	granted []int      // storage
}

type entry[R any] struct {
	req     R
	granted bool
}

// Submit is the arrival of a request. It returns its rank if it is granted.
func (r *Rule[R]) Submit(req R) (granted []int) {
	r.live = append(r.live, entry[R]{req: req})
	return r.admit()
}

// End releases or withdraws a request, and returns the ranks of the requests granted by that.
func (r *Rule[R]) End(rank int) (granted []int) {
	r.live = slices.Delete(r.live, rank, rank+1)
	return r.admit()
}

// Narrow replaces what a request holds by req, and returns the ranks of the requests granted by
// that. It returns false and changes nothing if the request does not hold all of req.
func (r *Rule[R]) Narrow(rank int, req R) (granted []int, ok bool) {
	if !r.live[rank].granted || !req.Inside(r.live[rank].req) {
		return nil, false
	}
	r.live[rank].req = req
	return r.admit(), true
}

// Live returns the number of live requests.
func (r *Rule[R]) Live() int { return len(r.live) }

// Request returns what a request asks for or holds.
func (r *Rule[R]) Request(rank int) R { return r.live[rank].req }

// Granted reports whether a request is granted.
func (r *Rule[R]) Granted(rank int) bool { return r.live[rank].granted }

// Waiting returns how many requests are live and not granted.
func (r *Rule[R]) Waiting() (waiting int) {
	for i := range r.live {
		if !r.live[i].granted {
			waiting++
		}
	}
	return waiting
}

// Blockers returns the ranks of the earlier live requests that a request conflicts with.
func (r *Rule[R]) Blockers(rank int) (ranks []int) {
	for earlier := range rank {
		if r.live[earlier].req.Conflicts(r.live[rank].req) {
			ranks = append(ranks, earlier)
		}
	}
	return ranks
}

// admit grants each request that no earlier live request conflicts with.
func (r *Rule[R]) admit() []int {
	r.granted = r.granted[:0]
	for rank := range r.live {
		if !r.live[rank].granted && r.free(rank) {
			r.live[rank].granted = true
			r.granted = append(r.granted, rank)
		}
	}
	return r.granted
}

func (r *Rule[R]) free(rank int) bool {
	for earlier := range rank {
		if r.live[earlier].req.Conflicts(r.live[rank].req) {
			return false
		}
	}
	return true
}
