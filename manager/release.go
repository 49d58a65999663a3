package manager

import (
	"log/slog"
	"strconv"

	"github.com/treelock/treelock"
)

// A Grant is a request that is held, until it is released. It is a small value that may be copied and
// handed on; all copies mean the same hold. The zero Grant holds nothing.
type Grant[N treelock.Node[N]] struct {
	m     *Manager[N]
	req   *request[N] // owned by the manager: only to be passed back to it
	seq   uint64      // of req; it tells whether req still is what was granted
	token uint64
}

// Release lets go of all that the grant holds; whoever waited only for that is granted. It never waits for
// other clients. A further release of any copy of the grant does nothing, for ever; and so does the
// release of the zero Grant, or one after the manager stopped. O(d).
func (g Grant[N]) Release() {
	if g.m != nil {
		g.m.send(message[N]{kind: kindRelease, req: g.req, seq: g.seq})
	}
}

// Number returns the place of the request in the order of arrival. It never changes, and errors, snapshots and logs
// name the request by it. Numbers begin at 1; the zero Grant has the number 0.
func (g Grant[N]) Number() uint64 { return g.seq }

// Token returns the fencing token, which is the place in the order of grants: among conflicting grants of one manager, a
// later grant has a larger token. It is not the number, as requests may be granted in another order than they arrive.
// All copies of a grant have its token, and [Grant.Narrow] keeps it. A store that remembers the largest token it has seen
// can refuse a holder that has been overtaken, say after a long pause. The zero Grant has the token 0, and tokens begin
// at 1 or where [WithFirstToken] says.
//
// (The scheme is that of the lock sequencers in Burrows, "The Chubby lock service", 2006.)
func (g Grant[N]) Token() uint64 { return g.token }

// String names the grant for a log line: "grant #7 (token 12)", or "no grant" for the zero Grant.
func (g Grant[N]) String() string {
	if g.m == nil {
		return "no grant"
	}
	return "grant #" + strconv.FormatUint(g.seq, 10) + " (token " + strconv.FormatUint(g.token, 10) + ")"
}

// LogValue returns a group of the number and the token.
func (g Grant[N]) LogValue() slog.Value {
	return slog.GroupValue(slog.Uint64("number", g.seq), slog.Uint64("token", g.token))
}

// grant returns the grant of r, which has just been granted, with the next token. On the manager goroutine.
func (l *loop[N]) grant(r *request[N]) Grant[N] {
	token := l.nextToken
	l.nextToken++
	return Grant[N]{m: l.m, req: r, seq: r.Seq(), token: token}
}

// release ends the hold of a request, unless it has ended. On the manager goroutine.
func (l *loop[N]) release(r *request[N], seq uint64) {
	l.assertOwner()
	if r.Seq() != seq {
		return // released before
	}
	l.end(r)
}
