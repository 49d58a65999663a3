package manager

// Release ends the hold, and the requests that waited only for it are granted. It never waits for
// other clients. It does nothing on a grant of which any copy was released before, on the zero
// Grant, and after the manager has stopped. It costs O(d).
func (g Grant[N]) Release() {
	if g.m != nil {
		g.m.send(message[N]{kind: kindRelease, req: g.req, seq: g.seq})
	}
}

// release ends the hold of a request, unless it has ended. On the manager goroutine.
func (l *loop[N]) release(r *request[N], seq uint64) {
	l.assertOwner()
	if r.Seq() != seq {
		return // released before
	}
	l.end(r)
}
