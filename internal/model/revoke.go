package model

import "slices"

// Revoke ends a request, with its widening and all requests inside it, from outside. It does
// nothing if no request of that name is live.
func (w *World[N]) Revoke(name string) {
	if rank := w.rank(name); rank >= 0 {
		w.rule.revoke(w.rule.live[rank].id)
		w.rule.admit()
		w.settle()
	}
}

// revoke removes the request with this id, and what is inside it.
func (r *Rule[R]) revoke(id int) {
	for i := slices.IndexFunc(r.live, func(e entry[R]) bool { return e.in == id }); i >= 0; {
		r.revoke(r.live[i].id)
		i = slices.IndexFunc(r.live, func(e entry[R]) bool { return e.in == id })
	}
	rank := r.rank(id)
	if rank < 0 {
		return // it was released, and has ended with the last request inside it
	}
	in := r.live[rank].in
	r.live = slices.DeleteFunc(r.live, func(e entry[R]) bool { return e.id == id || e.widens == id })
	lives := func(e entry[R]) bool { return e.in == in }
	if owner := r.rank(in); owner >= 0 && r.live[owner].released && !slices.ContainsFunc(r.live, lives) {
		r.revoke(in)
	}
}
