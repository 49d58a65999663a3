package manager

import (
	"log/slog"
	"strconv"

	"github.com/treelock/treelock"
)

// A Grant is a request that is held, until it is released. It is a small value that may be copied,
// and all copies mean the same hold. The zero Grant holds nothing.
type Grant[N treelock.Node[N]] struct {
	m     *Manager[N]
	req   *request[N] // the manager goroutine's: only to be passed back to it
	seq   uint64      // tells whether req still stores the request that was granted
	token uint64
}

// Number returns the place of the request in the order of arrival. It never changes, and errors,
// snapshots and logs name the request by it. Numbers begin at 1; the zero Grant has the number 0.
func (g Grant[N]) Number() uint64 { return g.seq }

// Token returns the fencing token, which is the place in the order of grants: among conflicting
// grants of one manager, a later grant has a larger token. It is not the number, as requests may be
// granted in another order than they arrive. All copies of a grant have its token, and
// [Grant.Narrow] keeps it. Tokens begin at 1 or at [WithFirstToken]; the zero Grant has the token
// 0.
//
// A store that remembers the largest token it has seen can refuse a holder that another one has
// succeeded, say after a long pause. (The scheme is that of the lock sequencers in Burrows, "The
// Chubby lock service", 2006.)
func (g Grant[N]) Token() uint64 { return g.token }

// String names the grant for a log line: "grant #7 (token 12)", or "no grant" for the zero Grant.
func (g Grant[N]) String() string {
	if g.m == nil {
		return "no grant"
	}
	seq, token := strconv.FormatUint(g.seq, 10), strconv.FormatUint(g.token, 10)
	return "grant #" + seq + " (token " + token + ")"
}

// LogValue returns a group of the number and the token.
func (g Grant[N]) LogValue() slog.Value {
	return slog.GroupValue(slog.Uint64("number", g.seq), slog.Uint64("token", g.token))
}

// grant returns the grant of r, which has just been granted, with the next token. On the manager
// goroutine.
func (l *loop[N]) grant(r *request[N]) Grant[N] {
	token := l.nextToken
	l.nextToken++
	return Grant[N]{m: l.m, req: r, seq: r.Seq(), token: token}
}
