package manager

import "github.com/treelock/treelock"

// A grant is how the manager goroutine and its clients name a request that is held, or a request
// that waits for its grant. Programs get it as a [treelock.Grant].
type grant[N treelock.Node[N]] struct {
	req *request[N] // the manager goroutine's: only to be passed back to it
	seq uint64      // tells whether req still stores the same request

	// token is the fencing token. It is 0 while the request waits, and tokens begin at 1 or later.
	// So a canceled widening that waits is told from one that was granted.
	token uint64
}

// grant returns the grant of r, which has just been granted. Its token is the next one, or that of
// the grant that r is inside. On the manager goroutine.
//
// Tokens are taken here alone, in the order of grants. So among conflicting grants a later one has
// a larger token, widenings included. Numbers would not do: a grant keeps its number when it is
// widened, after grants with larger ones. A store compares the tokens of outer grants, so a grant
// inside one shows the token of that one.
func (l *loop[N]) grant(r *request[N]) grant[N] {
	g := grant[N]{req: r, seq: r.Seq(), token: r.Who.scope.token}
	if r.Who.scope.owner == nil {
		g.token = l.nextToken
		l.nextToken++
	}
	l.trace.granted(g)
	return g
}

// public returns g for programs.
func (m *Manager[N]) public(g grant[N]) treelock.Grant[N] {
	return m.grants.Grant(treelock.Hold{Ref: refTo(g.req), Number: g.seq, Token: g.token})
}

// refTo returns what clients name r by. The Ref is part of the request, so it costs no memory of
// its own. Only the manager goroutine looks into it.
func refTo[N treelock.Node[N]](r *request[N]) *treelock.Ref { return &r.Who.ref }

// requestOf returns the request that ref leads to, nil if it has ended: the table clears Who then,
// with the Ref in it. The storage may have a later request by now, so the caller compares numbers.
// On the manager goroutine.
func requestOf[N treelock.Node[N]](ref *treelock.Ref) *request[N] {
	if ref == nil {
		return nil
	}
	r, _ := ref.Value.(*request[N])
	return r
}

// An engine is a Manager with the methods that a [treelock.Grant] calls. They are not methods of
// Manager, so programs see each of them in one place.
type engine[N treelock.Node[N]] Manager[N]

// Engine returns m as the [treelock.Engine] of its grants. It is for [treelock.Inside].
func (m *Manager[N]) Engine() treelock.Engine[N] { return (*engine[N])(m) }

// manager returns the manager of e.
func (e *engine[N]) manager() *Manager[N] { return (*Manager[N])(e) }

// Holds is [treelock.Grant.Holds]. One call carries both the claims and the inspector that looks at
// them. A request that no grant could hold, such as one that is too wide, is not held.
func (e *engine[N]) Holds(h treelock.Hold, req treelock.Request[N]) bool {
	m := e.manager()
	c, err := m.newCall(&req, modeNoWait)
	if err != nil {
		return false
	}
	defer m.recycle(c)
	holds := &holder[N]{of: h, call: c}
	c.inspector = holds
	return m.send(message[N]{kind: kindInspect, call: c}) && <-c.replies == verdictDone && holds.yes
}

// A holder is the inspector that finds out whether a grant holds the claims of a call.
type holder[N treelock.Node[N]] struct {
	of   treelock.Hold
	call *call[N]
	yes  bool
}

func (h *holder[N]) inspect(l *loop[N]) {
	h.yes = l.heldErr(requestOf[N](h.of.Ref), h.of.Number, h.call.claims) == nil
}
