package manager

import (
	"fmt"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/nodetext"
)

// A call carries a request from a client to the manager and the answers back. The client has it until it
// is sent, and again from when it has received the last answer; in between it is the manager's.
//
// What the manager looks at for a request of one claim stands close together, as it is in another processor's cache.
type call[N treelock.Node[N]] struct {
	mode callMode

	// patient says that the client does not want to be told that it has to wait. It outlives the call: who
	// had to wait the last time is taken to have to wait again. See BenchmarkLock, where the nodes are contended.
	expectWait bool
	waited     bool // for others, before it was granted; the manager's
	yieldPays  bool // it pays to yield while a client waits for its first answer; the manager's
	yieldFirst bool // what yields said in the last call; the client's. It outlives the call

	// answers: from the manager to the client, never closed. There are two at most that the client has not received, waits and
	// the last one, or the last one and gone, so a capacity of two is enough for the manager never to wait.
	replies chan verdict

	ticket *Ticket[N]   // that the call is about, if any
	meta   *requestMeta // of the request, if any
	claims []locktable.Claim[N]
	claim  [1]locktable.Claim[N] // the storage of claims, and of lineage, while there is one
	node   [1]N

	// The manager's, until the last answer: what that means.
	grant Grant[N] // what was granted
	err   error    // why it was refused

	inspector inspector[N] // of a message that reads the manager's state

	// The client's alone.
	lineage []N    // the storage of the claims' lineages
	_       uint64 // up to a multiple of a cache line
}

// A callMode says what a call wants if it cannot be granted at once.
type callMode uint8

const (
	modeWait   callMode = iota // to be granted as soon as it can be
	modeNoWait                 // a refusal
	modeTicket                 // an answer at once, and the grant over the ticket's channel
)

// A verdict is an answer to a call.
type verdict uint8

const (
	verdictDone     verdict = iota // the last answer: what was asked for is done; call.grant is the client's
	verdictRefused                 // the last answer: call.err says why
	verdictMustWait                // the request has arrived and waits
	verdictCanceled                // the last answer to a call that was given up, perhaps behind another last answer; call.err says why
)

// Calls with larger buffers than these are not kept for reuse.
const (
	maxKeptClaims  = 64
	maxKeptLineage = 1024
)

// newCall returns a call for req. It runs the user's code, on the goroutine of the user, who is to
// blame if that panics; then the call is lost, nothing else.
func (m *Manager[N]) newCall(req *treelock.Request[N], mode callMode) (*call[N], error) {
	claims := req.Len() // once, as it copies req
	if claims > m.maxClaims {
		return nil, tooWide(claims, m.maxClaims)
	}
	c := m.emptyCall()
	c.mode = mode
	if req.Label() != "" || m.slow.Sites {
		c.meta = m.newMeta(req)
	}
	for i := range claims {
		claim := req.Claim(i)
		start := len(c.lineage)
		var err error
		if c.lineage, err = m.appendLineage(c.lineage, claim.Node, &m.options); err != nil {
			m.recycle(c)
			return nil, err
		}
		c.claims = append(c.claims, locktable.Claim[N]{
			Mode:    locktable.ModeOf(claim.Scope, claim.Access),
			Lineage: c.lineage[start:],
		})
	}
	return c, nil
}

func tooWide(claims, limit int) error {
	return fmt.Errorf("%w: %d, and at most %d are allowed", treelock.ErrTooWide, claims, limit)
}

// emptyCall returns a call without claims.
func (m *Manager[N]) emptyCall() *call[N] {
	if c, ok := m.calls.Get().(*call[N]); ok {
		return c
	}
	c := &call[N]{replies: make(chan verdict, 2)}
	c.claims, c.lineage = c.claim[:0], c.node[:0]
	return c
}

// result takes what the last answer to c means, and keeps c for another call.
func (m *Manager[N]) result(c *call[N]) (Grant[N], error) {
	grant, err := c.grant, c.err
	c.expectWait, c.yieldFirst = c.waited, c.yieldPays
	m.recycle(c)
	return grant, err
}

// recycle keeps c for another call. The client must have received its last answer, or not sent it. What the storage of
// lineages still names stays in memory until the garbage collector empties the pool.
func (m *Manager[N]) recycle(c *call[N]) {
	if cap(c.claims) > maxKeptClaims || cap(c.lineage) > maxKeptLineage {
		return
	}
	c.claims, c.lineage = c.claims[:0], c.lineage[:0]
	c.grant, c.err, c.waited, c.ticket, c.meta, c.inspector = Grant[N]{}, nil, false, nil, nil, nil
	m.calls.Put(c)
}

// A client is what the manager knows of who made a request. While that waits there is a call or a ticket. It is told one
// thing on the manager goroutine, that it is granted or that the manager stops; after that it is on its own.
type client[N treelock.Node[N]] struct {
	call   *call[N]
	ticket *Ticket[N]
	meta   *requestMeta
	since  instant // when it began to wait or, once it is granted, to hold
}

// stop tells the client that the manager has stopped, which is what err says.
func (c client[N]) stop(err error) {
	if c.ticket != nil {
		c.ticket.endWith(ticketStopped)
	} else {
		c.call.refuse(err)
	}
}

func (c *call[N]) deliver(grant Grant[N]) {
	c.grant = grant
	c.replies <- verdictDone
}

func (c *call[N]) refuse(err error) {
	c.err = err
	c.replies <- verdictRefused
}

// refuseLate is the answer to a call that was given up.
func (c *call[N]) confirmCancel(err error) {
	c.err = err
	c.replies <- verdictCanceled
}

// brief names a node or a claim in one line of bounded length.
func quoteNode[N any](node N) string { return nodetext.Of(node) }
