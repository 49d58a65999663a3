package manager

import (
	"fmt"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/terms"
)

// A call carries a request from a client to the manager goroutine, and the replies back. The client
// owns it until it is sent, and again from the last reply on. In between the manager goroutine owns
// it.
//
// The fields that the manager goroutine reads for a request of one claim are close together, as
// they are in the cache of another processor.
type call[N treelock.Node[N]] struct {
	mode callMode

	// expectWait says that the client needs no verdictMustWait. It is kept when the call is reused,
	// since a client that had to wait often has to wait again. See BenchmarkLock in manager/bench,
	// with contended nodes.
	expectWait bool
	waited     bool // before it was granted; set by the manager goroutine
	widens     bool // of kindWiden
	yieldPays  bool // it pays to yield before the first reply; set by the manager goroutine
	yieldFirst bool // what yieldPays was at the last use of the call; owned by the client

	// replies: from the manager goroutine to the client, never closed. The client has at most two
	// that it has not received: verdictMustWait and the last one, or the last one and
	// verdictCanceled. So with a capacity of two the manager goroutine never waits.
	replies chan verdict

	ticket *Ticket[N]   // of modeTicket and kindWithdraw
	meta   *requestMeta // may be nil
	claims []locktable.Claim[N]
	claim  [1]locktable.Claim[N] // the storage of claims for one claim
	node   [1]N                  // the storage of lineage for one node

	// The manager goroutine's until the last reply. grant has three meanings, one after the other.
	// When the call is sent it has only a token, that of the grant which the request is inside or
	// widens. While the request waits it names the request for cancel, with token 0. With
	// verdictDone it is the grant.
	grant grant[N]
	err   error // with verdictRefused and verdictCanceled; at first the reason of kindRevoke

	inspector inspector[N] // of kindInspect

	under *[]treelock.Hold // the grants that the caller holds, as its context says; nil for most

	// The client's alone.
	lineage []N // the storage of the claims' lineages

	// The fields end at a multiple of a cache line, 192 bytes. Otherwise calls share lines, and an
	// acquire takes 5% longer: see BenchmarkLock in manager/bench.
}

// A callMode says what a call wants if its request must wait.
type callMode uint8

const (
	modeWait   callMode = iota // the grant, when it is made
	modeNoWait                 // a refusal
	modeTicket                 // a reply at once, and the grant over the ticket's channel
)

// A verdict is a reply to a call. What else the client must know is in the call: the send of the
// verdict happens after the manager goroutine has written it.
type verdict uint8

const (
	verdictDone     verdict = iota // the last reply: done; call.grant is the client's
	verdictRefused                 // the last reply: call.err says why
	verdictMustWait                // the request has arrived and waits
	verdictCanceled                // the last reply to kindCancel, after any other; see call.err
)

// Calls with larger buffers than these are not reused: one huge request must not keep its memory
// for later small ones.
const (
	maxKeptClaims  = 64
	maxKeptLineage = 1024
)

// newCall returns a call for req. It runs user code, on the user's goroutine. If that code panics,
// only the call is lost.
func (m *Manager[N]) newCall(req *treelock.Request[N], mode callMode) (*call[N], error) {
	few, more := req.Parts()
	if claims := len(few) + len(more); claims > m.maxClaims {
		return nil, tooWide(claims, m.maxClaims)
	}
	c := m.emptyCall()
	c.mode = mode
	if req.Annotated() || m.slow.Sites {
		c.meta = m.newMeta(req)
	}
	err := m.addClaims(c, few)
	if err == nil && len(more) > 0 {
		err = m.addClaims(c, more)
	}
	if err != nil {
		m.recycle(c)
		return nil, err
	}
	return c, nil
}

// addClaims appends claims, with their lineages, to those of c.
func (m *Manager[N]) addClaims(c *call[N], claims []treelock.Claim[N]) error {
	for i := range claims {
		claim := &claims[i]
		// All lineages share one slice. An append that moves it leaves earlier claims on the old
		// array, which stays valid.
		start := len(c.lineage)
		var err error
		if c.lineage, err = m.appendLineage(c.lineage, claim.Node, &m.options); err != nil {
			return err
		}
		c.claims = append(c.claims, locktable.Claim[N]{
			Mode:    terms.ModeOf(claim.Scope, claim.Access),
			Lineage: c.lineage[start:],
		})
	}
	return nil
}

// tooWide returns the error for a request of more claims than the limit.
func tooWide(claims, limit int) error {
	return fmt.Errorf("%w: %d, and at most %d are allowed", treelock.ErrTooWide, claims, limit)
}

// emptyCall returns a call without claims, a reused one if there is one. Its replies channel is
// empty.
func (m *Manager[N]) emptyCall() *call[N] {
	if c, ok := m.calls.Get().(*call[N]); ok {
		return c
	}
	c := &call[N]{replies: make(chan verdict, 2)}
	c.claims, c.lineage = c.claim[:0], c.node[:0]
	return c
}

// result returns what the last reply to c means, and recycles c.
func (m *Manager[N]) result(c *call[N]) (grant[N], error) {
	grant, err := c.grant, c.err
	c.expectWait, c.yieldFirst = c.waited, c.yieldPays
	m.recycle(c)
	return grant, err
}

// recycle keeps c for another use. The client must have received its last reply, or not sent it.
// Nodes in the storage of lineages stay in memory until the garbage collector empties the pool.
func (m *Manager[N]) recycle(c *call[N]) {
	if cap(c.claims) > maxKeptClaims || cap(c.lineage) > maxKeptLineage {
		return
	}
	c.claims, c.lineage = c.claims[:0], c.lineage[:0]
	c.grant, c.err, c.waited, c.ticket, c.meta, c.inspector = grant[N]{}, nil, false, nil, nil, nil
	c.widens, c.under = false, nil
	m.calls.Put(c)
}

// A client is what the manager goroutine keeps of the client of a live request, in the field Who of
// the request. While the request waits, either call or ticket is set. Over that the client learns
// once that the request is granted, or that the manager stops.
type client[N treelock.Node[N]] struct {
	ref    treelock.Ref // leads to the request; see refTo
	call   *call[N]
	ticket *Ticket[N]
	meta   *requestMeta
	since  instant // when the request began to wait or, once granted, to hold

	scope *scope[N] // where the request is admitted
	extra *extra[N] // of a grant; nil for most
}

// enroll sets what is kept of the client of r, which has just arrived in s. It sets field by field,
// as to copy a client costs more: see BenchmarkLock in manager/bench. On the manager goroutine.
func (l *loop[N]) enroll(r *request[N], s *scope[N], meta *requestMeta) {
	who := &r.Who
	who.ref.Value, who.scope, who.meta, who.since = r, s, meta, l.now
}

// refuse tells the client that there will be no grant, as err says.
func (c *client[N]) refuse(err error) {
	switch {
	case c.ticket != nil:
		c.ticket.endWith(err)
	case c.call != nil: // else the client is one of another process
		c.call.refuse(err)
	}
}

// callerHolds returns the grants that the caller holds, as its context says.
func (c *call[N]) callerHolds() []treelock.Hold {
	if c.under == nil {
		return nil
	}
	return *c.under
}

// mustWait keeps what names the request, for its cancellation, and tells the client that it waits,
// unless the client expects that. The call stays the manager goroutine's. On the manager goroutine.
func (c *call[N]) mustWait(g grant[N]) {
	c.grant, c.waited = g, true
	if !c.expectWait {
		c.replies <- verdictMustWait
	}
}

// deliver sends the last reply to a call that was granted. On the manager goroutine, which must not
// use c afterwards: the client may reuse it at once.
func (c *call[N]) deliver(g grant[N]) {
	c.grant = g
	c.replies <- verdictDone
}

// refuse sends the last reply to a call that was refused, with the same rule.
func (c *call[N]) refuse(err error) {
	c.err = err
	c.replies <- verdictRefused
}

// refuse refuses the message of c. On the manager goroutine.
func (l *loop[N]) refuse(c *call[N], err error) {
	l.trace.refused(err)
	c.refuse(err)
}

// confirmCancel sends the last reply to a canceled call, with the same rule. err names the blockers
// of a request that still waited, and is nil otherwise.
func (c *call[N]) confirmCancel(err error) {
	c.err = err
	c.replies <- verdictCanceled
}
