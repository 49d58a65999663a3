package locktable

import (
	"fmt"

	"github.com/treelock/treelock/waitqueue"
)

// Check recounts what the table keeps up to date, and returns an error for the first difference.
// The error starts with the number of the invariant that is violated (see the package
// documentation). It is for tests and for builds with the race detector: it takes time in
// proportion to the nodes, the live requests and their node uses.
func (t *Table[N, W]) Check() error {
	// The checks run from the parts to the whole: names of nodes, requests, nodes against a recount
	// of the requests, and the idle list. So each check may rely on what is before it: a map of
	// nodes by pointer needs nodes that are what they seem.
	for name, n := range t.nodes.byName {
		if n.name != name {
			return fmt.Errorf("I8: node %v is in the table as %v", n.name, name)
		}
	}
	recounts := make(map[*node[N, W]]*recount, t.nodes.len())
	for n := range t.nodes.all {
		if !n.inTable || t.nodes.find(n.name) != n {
			return fmt.Errorf("I8: node %v is in the table, but is not found by its name", n.name)
		}
		recounts[n] = &recount{earliest: noneWaits}
	}
	if err := t.checkRequests(recounts); err != nil {
		return err
	}
	for _, r := range t.Requests() {
		if err := r.checkOrder(recounts); err != nil {
			return err
		}
	}
	for n, recount := range recounts {
		if err := n.check(recount); err != nil {
			return err
		}
	}
	return t.nodes.check()
}

// A recount is the state of one node according to the live requests. The queue of the node has the
// same numbers, kept up to date step by step. A step that forgot one shows up as a difference.
type recount struct {
	admitted [waitqueue.NumModes]int
	waiting  int
	claims   int
	earliest [waitqueue.NumModes]uint64 // the earliest waiting request, by mode
}

// noneWaits is the value of recount.earliest for a node where no request waits.
var noneWaits = func() (none [waitqueue.NumModes]uint64) {
	for mode := range none {
		none[mode] = ^uint64(0)
	}
	return none
}()

// checkRequests checks that the storage holds each request in its slot, and that ended ones are
// cleared. It checks each live request, counts its node uses in recounts, and compares the totals
// with those of the table (I3, I5).
//
// Free storage is checked as well: newRequest relies on it being cleared, and would pass stale
// state on to another request.
func (t *Table[N, W]) checkRequests(recounts map[*node[N, W]]*recount) error {
	for i, r := range t.storage.requests {
		if int(r.slot) != i || r.seq == 0 && (r.blocked != 0 || r.waits != nil || len(r.uses) != 0) {
			return fmt.Errorf("I5: request %d is in the wrong slot, or has ended and was not cleared", r.seq)
		}
	}
	// Requests sorts by number. So a number that is used twice shows up as two equal neighbours.
	live, waiting, widenings, uses, last := 0, 0, 0, 0, uint64(0)
	for _, r := range t.Requests() {
		if r.seq > t.lastSeq || r.seq == last {
			return fmt.Errorf("I5: request %d has a number that is too large or used twice", r.seq)
		}
		if err := r.check(recounts); err != nil {
			return err
		}
		if err := r.checkPartner(); err != nil {
			return err
		}
		if r.Waiting() {
			waiting++
		}
		if r.Widens() != nil {
			widenings++
		}
		live++
		uses += len(r.uses)
		last = r.seq
	}
	// The storage of a request is live or free. The exception are widenings that were just granted:
	// they have ended, but stay readable until the next call.
	granted := 0
	for _, r := range t.granted {
		if r.seq == 0 && r.partner != nil {
			granted++
		}
	}
	if live != t.live || waiting != t.waiting || live+granted+len(t.storage.freeRequests) != len(t.storage.requests) {
		return fmt.Errorf("I5: %d requests are live and %d wait, but the table counts %d and %d", live, waiting, t.live, t.waiting)
	}
	if widenings != t.widenings {
		return fmt.Errorf("I10: %d widenings wait, but the table counts %d", widenings, t.widenings)
	}
	if uses != t.uses {
		return fmt.Errorf("I3: there are %d node uses, but the table counts %d", uses, t.uses)
	}
	return nil
}

// checkPartner checks a widening and its grant (I10). They know each other, and the widening has a
// node use exactly where the modes of the grant do not cover what it asks for.
func (r *Request[N, W]) checkPartner() error {
	grant := r.Widens()
	switch {
	// A request that widens nothing is checked against a grant without node uses: each held must be
	// empty.
	case r.partner == nil:
		grant = &Request[N, W]{}
	// Of two partners one is granted and the other one waits. Two that wait would hide which is the
	// grant.
	case r.partner.partner != r || r.partner.Granted() == r.Granted():
		return fmt.Errorf("I10: request %d has a widening or a grant that does not know it", r.seq)
	case grant == nil:
		return nil // the widening is checked
	}
	// The queue trusts use.held: it must be what the grant holds at that node, and nothing at nodes
	// that the grant does not use.
	held := make(map[*node[N, W]]waitqueue.Mode, len(grant.uses))
	for i := range grant.uses {
		held[grant.uses[i].node] = grant.uses[i].mode
	}
	for i := range r.uses {
		use := &r.uses[i]
		mode, ok := held[use.node]
		if ok != (use.held != 0) || ok && (use.held != 1<<mode || mode.Covers(use.mode)) {
			return fmt.Errorf("I10: request %d uses node %v as a widening of %v, but its grant holds %v there", r.seq, use.node.name, use.held, mode)
		}
	}
	return nil
}

// check checks that r uses each of its nodes once, a claimed one first, and that all of them are in
// the table (I3). It checks that the count of waiting uses is right (I5), and adds the node uses to
// recounts.
func (r *Request[N, W]) check(recounts map[*node[N, W]]*recount) error {
	// The link of the first claim is a field of the request and has index 0, so unlistClaims relies
	// on this.
	if len(r.uses) > 0 && !r.uses[0].mode.Claims() {
		return fmt.Errorf("I3: the first node use of request %d is not a claim", r.seq)
	}
	blocked, seen := 0, make(map[*node[N, W]]bool, len(r.uses))
	for i := range r.uses {
		use := &r.uses[i]
		recount := recounts[use.node]
		if recount == nil {
			return fmt.Errorf("I3: request %d uses a node that is not in the table", r.seq)
		}
		// A request that came to a node twice could wait for itself there.
		if seen[use.node] {
			return fmt.Errorf("I3: request %d uses node %v twice", r.seq, use.node.name)
		}
		seen[use.node] = true
		if use.mode.Claims() {
			recount.claims++
		}
		if !use.waiting {
			recount.admitted[use.mode]++
			continue
		}
		blocked++
		recount.waiting++
		recount.earliest[use.mode] = min(recount.earliest[use.mode], r.seq)
	}
	if int(r.blocked) != blocked {
		return fmt.Errorf("I5: request %d waits at %d nodes by its count, at %d by a recount", r.seq, r.blocked, blocked)
	}
	return nil
}

// checkOrder checks that r is admitted nowhere before an earlier request that conflicts with it
// there, unless r is a widening that passes it (I2). It needs the recounts of all requests.
//
// It compares admitted requests with waiting ones only. That no two admitted ones conflict is I1,
// which package model checks from outside.
func (r *Request[N, W]) checkOrder(recounts map[*node[N, W]]*recount) error {
	// One comparison for each mode is enough: only the earliest of those that wait in it matters.
	// blocking leaves out the modes of requests that wait for the grant of a widening.
	for i := range r.uses {
		use := &r.uses[i]
		for conflicting := use.blocking(); !use.waiting && conflicting != 0; conflicting = conflicting.WithoutFirst() {
			if earlier := recounts[use.node].earliest[conflicting.First()]; earlier < r.seq {
				return fmt.Errorf("I2: request %d is admitted at node %v before request %d, which is earlier", r.seq, use.node.name, earlier)
			}
		}
	}
	return nil
}
