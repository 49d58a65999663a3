package manager

import (
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/journal"
	"github.com/treelock/treelock/internal/locktable"
)

// A scope is a set of requests that wait for each other and for no others. The manager has one, and
// each grant has one of its own while requests inside it are live. The manager goroutine owns all
// scopes. These invariants hold between messages:
//
//   - A live request is in the table of its scope, Who.scope.
//   - Each claim of a request inside a grant lies inside what the grant holds.
//   - The scope of a grant, inner, is set exactly while a request inside the grant is live.
//   - A grant that was released is live, as released, exactly while requests inside it are live.
//     None of these waits.
//   - A grant is in loop.asked exactly while it is held and a signal of it is asked for and not
//     given.
type scope[N treelock.Node[N]] struct {
	table *locktable.Table[N, client[N]]
	owner *locktable.Request[N, client[N]] // the grant; nil in the manager's own scope
	token uint64                           // of the owner, and so of each grant in the scope

	next, prev *scope[N] // in the list loop.inner
}

// An extra is what the manager goroutine keeps of few requests.
type extra[N treelock.Node[N]] struct {
	inner    *scope[N]           // nil if no request inside is live
	released bool                // and live only for the requests inside
	token    uint64              // of the latest widening, or 0
	signals  *[numSignals]signal // nil until a client asks for one
	entry    *journal.Entry[N]   // in a manager with a journal

	under []treelock.Hold // of a request that waits: the grants that its caller holds
}

// afterGrant returns what a grant keeps of the extra of its waiting request.
func (x *extra[N]) afterGrant() *extra[N] {
	if x == nil || x.entry == nil {
		return nil
	}
	return &extra[N]{entry: x.entry}
}

// Bounds of the scopes that are kept for later grants. Their idle nodes are kept as well, so that a
// grant that is asked again and again does not make its nodes each time. See BenchmarkGrow in
// manager/bench.
const (
	maxFreeScopes = 4
	maxInnerIdle  = 256
)

// heldErr returns nil if the request with number seq that was stored in owner is a grant that holds
// all of claims.
func (l *loop[N]) heldErr(owner *request[N], seq uint64, claims []locktable.Claim[N]) error {
	if err := l.overErr(owner, seq); err != nil {
		return err
	}
	if !owner.Who.scope.table.Holds(owner, claims) {
		return treelock.ErrNotHeld
	}
	return nil
}

// overErr returns why the grant with number seq that was stored in r is over, or nil if it is not.
//
// A reused r has another number. A grant that was released is over for its clients, even if it
// lives on for the requests inside. A number that is not among the revocations counts as released.
func (l *loop[N]) overErr(r *request[N], seq uint64) error {
	if r != nil && r.Seq() == seq && (r.Who.extra == nil || !r.Who.extra.released) {
		return nil
	}
	if err := l.revoked.why(seq); err != nil {
		return err
	}
	return treelock.ErrReleased
}

// enter returns the scope inside a grant, and makes it if need be. token is that of the copy of the
// grant that the client has.
func (l *loop[N]) enter(owner *request[N], token uint64) *scope[N] {
	x := l.extraOf(owner)
	if x.inner == nil {
		x.inner = l.newScope()
		x.inner.owner, x.inner.next = owner, l.inner
		if l.inner != nil {
			l.inner.prev = x.inner
		}
		l.inner = x.inner
	}
	// The scope has the latest token of its grant, so that tokens do not shrink among conflicting
	// grants inside. Each of the three may be the latest. A client may call with a copy from before
	// a widening: then x.token is. For a grant inside another one x.token is 0: then it is what a
	// later copy brought before. And a grant that never widened has its token in its copies only.
	x.inner.token = max(x.inner.token, token, x.token)
	return x.inner
}

// extraOf returns the extra of a grant, and makes it if need be.
func (l *loop[N]) extraOf(r *request[N]) *extra[N] {
	if r.Who.extra == nil {
		r.Who.extra = new(extra[N])
	}
	return r.Who.extra
}

// newScope returns a scope with an empty table. All tables share the numbers of that of root, so
// one search for a circle can go through several.
func (l *loop[N]) newScope() *scope[N] {
	if last := len(l.freeScopes) - 1; last >= 0 {
		s := l.freeScopes[last]
		l.freeScopes = l.freeScopes[:last]
		return s
	}
	return &scope[N]{table: l.root.table.NewInside(min(l.m.maxIdle, maxInnerIdle))}
}

// leave removes a scope inside a grant if its last request has ended. A grant that was released
// ends with it.
func (l *loop[N]) leave(s *scope[N]) {
	if s.owner == nil || s.table.Live() > 0 {
		return
	}
	// remove needs the links of s, so it comes before s is cleared. The table is kept with its idle
	// nodes.
	l.remove(s)
	owner := s.owner
	*s = scope[N]{table: s.table}
	if len(l.freeScopes) < maxFreeScopes {
		l.freeScopes = append(l.freeScopes, s)
	}
	owner.Who.extra.inner = nil
	// end may leave the scope of the owner in turn, and so on up to root.
	if owner.Who.extra.released {
		l.end(owner)
	}
}

// remove removes s from the list of scopes. A survey goes on with the next one.
func (l *loop[N]) remove(s *scope[N]) {
	// The survey follows s.next, so it goes on while s is linked. It misses no request: each was
	// recorded before it ended.
	if l.survey != nil && l.survey.at == s {
		l.survey.goOn(l)
	}
	if s.next != nil {
		s.next.prev = s.prev
	}
	if s.prev != nil {
		s.prev.next = s.next
	} else {
		l.inner = s.next
	}
}

// failInside ends the requests that wait inside a grant, with err.
func (l *loop[N]) failInside(s *scope[N], err error) {
	// The latest request goes first: no request waits for it, so none is granted.
	waiters := s.table.Waiters()
	for i := len(waiters) - 1; i >= 0; i-- {
		l.fail(waiters[i], err)
	}
}
