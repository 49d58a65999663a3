package manager

import (
	"fmt"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

// A call carries a request from a client to the manager and the answer back. The client has it until it
// is sent, and again from when it has received the answer; in between it is the manager's.
type call[N treelock.Node[N]] struct {
	claims  []locktable.Claim[N]
	lineage []N // the storage of the claims' lineages

	mode callMode

	// answer: from the manager to the client, never closed. There is one answer to each call sent, so a
	// capacity of one is enough for the manager never to wait. If the client has withdrawn the call it
	// no longer receives; then the manager takes back what it sent.
	answer chan answer[N]

	ticket *Ticket[N] // of a call of Submit

	// grant is the manager's: what the call was granted, or will be. Its request is nil if the call was
	// refused.
	grant Grant[N]
}

// A callMode says what a call wants if it cannot be granted at once.
type callMode uint8

const (
	wait   callMode = iota // the answer, as soon as it is granted
	noWait                 // a refusal
	ticket                 // an answer at once, and the grant over the ticket's channel
)

// An answer says what became of a call: a grant, or an error and the zero grant. For a call with a ticket
// both are zero if the request has arrived.
type answer[N treelock.Node[N]] struct {
	grant Grant[N]
	err   error
}

// Calls with larger buffers than these are not kept for reuse.
const (
	maxKeptClaims  = 64
	maxKeptLineage = 1024
)

// newCall returns a call for req. It runs the user's code, on the goroutine of the user, who is to
// blame if that panics; then the call is lost, nothing else.
func (m *Manager[N]) newCall(req treelock.Request[N], mode callMode) (*call[N], error) {
	c, _ := m.calls.Get().(*call[N])
	if c == nil {
		c = &call[N]{answer: make(chan answer[N], 1)}
	}
	c.mode = mode
	for claim := range req.Claims() {
		if err := m.addClaim(c, claim); err != nil {
			m.recycle(c)
			return nil, err
		}
	}
	return c, nil
}

// addClaim adds claim to c, with the lineage of its node.
func (m *Manager[N]) addClaim(c *call[N], claim treelock.Claim[N]) error {
	start := len(c.lineage)
	for node, ok := claim.Node, true; ok; node, ok = node.Parent() {
		if len(c.lineage)-start == m.maxDepth {
			return fmt.Errorf("%w (more than %d from %s up)", treelock.ErrTooDeep, m.maxDepth, brief(claim.Node))
		}
		if len(c.lineage) == start || m.vetAncestors {
			if err := m.vet(node); err != nil {
				return err
			}
		}
		c.lineage = append(c.lineage, node)
	}
	c.claims = append(c.claims, locktable.Claim[N]{
		Mode:    locktable.ModeOf(claim.Scope, claim.Access),
		Lineage: c.lineage[start:],
	})
	return nil
}

// recycle keeps c for another call. The client must have received its answer, or not sent it.
func (m *Manager[N]) recycle(c *call[N]) {
	if cap(c.claims) > maxKeptClaims || cap(c.lineage) > maxKeptLineage {
		return
	}
	clear(c.claims)
	clear(c.lineage)
	c.claims, c.lineage, c.grant = c.claims[:0], c.lineage[:0], Grant[N]{}
	m.calls.Put(c)
}

// brief names a node in an error. A hostile one may be very long.
func brief(node any) string {
	const longest = 200
	name := fmt.Sprint(node)
	if len(name) > longest {
		name = name[:longest] + "..."
	}
	return name
}
