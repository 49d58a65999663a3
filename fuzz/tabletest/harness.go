// Package tabletest holds the lock table to the rule of treelock. A [Harness] drives a table and
// the rule through the same steps and compares them after each. A [Script] tells the steps as a
// scenario file.
package tabletest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/model"
)

// A Request is a request of one client, for the rule and for the table.
type Request[N comparable, R any] struct {
	Rule     R
	Claims   []locktable.Claim[N]
	NodeUses int // see CountNodeUses
}

// CountNodeUses returns the number of node uses that a request with these claims must have (I3):
// one for each node that is claimed or above a claimed node.
func CountNodeUses[N comparable](claims []locktable.Claim[N]) int {
	nodes := map[N]bool{}
	for _, claim := range claims {
		for _, node := range claim.Lineage {
			nodes[node] = true
		}
	}
	return len(nodes)
}

// A Harness is a lock table with nodes of type N, and the rule for requests of type R.
type Harness[N comparable, R model.Asker[R]] struct {
	Table *locktable.Table[N, int]
	Rule  model.Rule[R]

	nodes   []N
	claimOf func(locktable.NodeMode[N]) R
	maxIdle int

	lastSeq uint64
	live    []liveRequest[N] // by arrival
	widened bool             // node uses are not known, as a request has tried to widen
	key     []byte           // storage
}

type liveRequest[N comparable] struct {
	*locktable.Request[N, int]
	uses  int
	under uint64 // the number of the grant that its caller holds while it waits, or 0
}

// New returns a harness with an empty table that keeps at most maxIdle idle nodes. Requests claim
// some of nodes, which the table finds by naming. claimOf returns the request of one claim.
func New[N comparable, R model.Asker[R]](maxIdle int, naming locktable.Naming[N], nodes []N, claimOf func(locktable.NodeMode[N]) R) *Harness[N, R] {
	return &Harness[N, R]{Table: locktable.New[N, int](maxIdle, naming), nodes: nodes, claimOf: claimOf, maxIdle: maxIdle}
}

// Submit is the arrival of a request. The table knows its client as who.
func (h *Harness[N, R]) Submit(who int, req Request[N, R]) error {
	want := h.Rule.Submit(req.Rule)
	return h.submitted(want, who, liveRequest[N]{h.submit(who, req), req.NodeUses, 0})
}

// submit lets a request arrive.
func (h *Harness[N, R]) submit(who int, req Request[N, R]) *locktable.Request[N, int] {
	r := h.Table.Submit(req.Claims)
	r.Who = who
	return r
}

// submitted checks a request that has arrived.
func (h *Harness[N, R]) submitted(want []int, who int, r liveRequest[N]) error {
	h.live = append(h.live, r)
	if err := h.checkNew(who, r.Request); err != nil {
		return err
	}
	if r.Granted() {
		return h.compare(want, r.Request)
	}
	return h.compare(want)
}

// checkNew checks the number and the client of a new request.
func (h *Harness[N, R]) checkNew(who int, r *locktable.Request[N, int]) error {
	if r.Seq() <= h.lastSeq {
		return fmt.Errorf("I7: a request has number %d, and %d arrived before it", r.Seq(), h.lastSeq)
	}
	h.lastSeq = r.Seq()
	if r.Who != who {
		return fmt.Errorf("request %d has client %d, want %d", r.Seq(), r.Who, who)
	}
	return nil
}

// End releases or withdraws the request of a rank. It returns the requests that the table grants,
// in its order.
func (h *Harness[N, R]) End(rank int) (granted []*locktable.Request[N, int], err error) {
	r := h.live[rank].Request
	h.live = slices.DeleteFunc(h.live, func(l liveRequest[N]) bool { return l.Request == r || l.Widens() == r })
	want := h.Rule.End(rank)
	granted = h.Table.End(r)
	return granted, h.compare(want, granted...)
}

// Narrow narrows the request of a rank, which is granted. If the rule refuses that, the table must
// refuse it as well and change nothing. It returns the requests that the table grants, in its
// order.
func (h *Harness[N, R]) Narrow(rank int, req Request[N, R]) (granted []*locktable.Request[N, int], err error) {
	want, wantOK := h.Rule.Narrow(rank, req.Rule)
	if wantOK {
		h.live[rank].uses = req.NodeUses
	} else {
		h.key = h.AppendEntries(h.key[:0], h.nodes)
	}
	granted, ok := h.Table.Narrow(h.live[rank].Request, req.Claims)
	if ok != wantOK {
		return granted, fmt.Errorf("I2: Narrow returns %t, want %t", ok, wantOK)
	}
	if !ok && !slices.Equal(h.key, h.AppendEntries(nil, h.nodes)) {
		return granted, errors.New("I2: Narrow returns false, and has changed something")
	}
	return granted, h.compare(want, granted...)
}

// RankOf returns the rank of the live request that the table knows as who, or -1.
func (h *Harness[N, R]) RankOf(who int) int {
	return slices.IndexFunc(h.live, func(l liveRequest[N]) bool { return l.Who == who })
}

// compare compares what a step has granted with the ranks that it should have granted, and then all
// that the table says of its live requests with the rule.
func (h *Harness[N, R]) compare(want []int, granted ...*locktable.Request[N, int]) error {
	granted, err := h.widenedGrants(granted)
	if err != nil {
		return err
	}
	for i, r := range granted {
		rank := slices.IndexFunc(h.live, func(l liveRequest[N]) bool { return l.Request == r })
		if rank < 0 {
			return errors.New("I6: a request is granted that is not live")
		}
		if slices.Contains(granted[:i], r) || !slices.Contains(want, rank) && h.Rule.Granted(rank) {
			return fmt.Errorf("I6: the request of rank %d is granted again", rank)
		}
		if !slices.Contains(want, rank) {
			return h.grantError(want, granted)
		}
	}
	if len(granted) != len(want) {
		return h.grantError(want, granted)
	}
	return h.compareLive()
}

func (h *Harness[N, R]) grantError(want []int, granted []*locktable.Request[N, int]) error {
	got := []int{}
	for _, r := range granted {
		got = append(got, slices.IndexFunc(h.live, func(l liveRequest[N]) bool { return l.Request == r }))
	}
	return fmt.Errorf("I2: the requests of ranks %v are granted, want %v", got, want)
}

func (h *Harness[N, R]) compareLive() error {
	last, uses := uint64(0), 0
	for rank, r := range h.live {
		uses += r.uses
		if r.Seq() <= last {
			return fmt.Errorf("I7: the request of rank %d has number %d, and the one before it %d", rank, r.Seq(), last)
		}
		last = r.Seq()
		if want := h.Rule.Granted(rank); r.Granted() != want || r.Waiting() == want {
			return fmt.Errorf("I2: the request of rank %d has granted=%t, waiting=%t, want granted=%t",
				rank, r.Granted(), r.Waiting(), want)
		}
	}
	if live, waiting := h.Table.Live(), h.Table.Waiting(); live != h.Rule.Live() || waiting != h.Rule.Waiting() {
		return fmt.Errorf("I5: %d requests are live, %d wait, want %d and %d", live, waiting, h.Rule.Live(), h.Rule.Waiting())
	}
	h.widened = h.widened && len(h.live) > 0
	if got := h.Table.NodeUses(); got != uses && !h.widened {
		return fmt.Errorf("I3: there are %d node uses, want %d", got, uses)
	}
	if len(h.live) == 0 && h.Table.Nodes() > h.maxIdle {
		return fmt.Errorf("I8: nothing is live, and there are %d nodes, want %d at most", h.Table.Nodes(), h.maxIdle)
	}
	return nil
}

// Check checks that no request is granted while an earlier conflicting one is live, that each
// waiting request knows its blockers, that no circle of requests waits, and the invariants inside
// of the table.
func (h *Harness[N, R]) Check() error {
	for rank, r := range h.live {
		blockers := h.Rule.Blockers(rank)
		switch {
		case r.Granted() && len(blockers) > 0 && h.live[blockers[0]].Granted():
			return fmt.Errorf("I1: the requests of ranks %d and %d hold together", blockers[0], rank)
		case r.Granted() && len(blockers) > 0:
			return fmt.Errorf("I2: the request of rank %d has overtaken that of rank %d", rank, blockers[0])
		case r.Waiting() && len(blockers) == 0:
			return fmt.Errorf("I2: the request of rank %d waits for no other", rank)
		case h.Rule.OnCircle(rank):
			return fmt.Errorf("I11: deadlock: the request of rank %d is on a circle", rank)
		case r.Waiting():
			if err := h.checkBlockers(rank, blockers); err != nil {
				return err
			}
		}
	}
	return h.Table.Check()
}

// checkBlockers checks which blockers the table names for a waiting request, and because of which
// claims. The table may leave out a widening if it names the grant.
func (h *Harness[N, R]) checkBlockers(rank int, want []int) (err error) {
	limit, n := 3, 0
	if h.Table.Widenings() > 0 {
		limit = len(h.live)
		want = h.withoutNamed(rank, want)
	}
	visit := func(b *locktable.Request[N, int], why locktable.ConflictPair[N]) {
		claim, wanted := h.claimOf(why.Claim), h.claimOf(why.Wanted)
		if n >= min(limit, len(want)) || b != h.live[want[n]].Request {
			err = fmt.Errorf("the request of rank %d has request %d as blocker %d, want ranks %v", rank, b.Seq(), n, want)
		} else if !claim.Conflicts(wanted) || !claim.Inside(h.Rule.Request(want[n])) || !wanted.Inside(h.Rule.Request(rank)) {
			err = fmt.Errorf("the request of rank %d waits for that of rank %d because of %v and %v", rank, want[n], why.Wanted, why.Claim)
		}
		n++
	}
	more, all := h.Table.Blockers(h.live[rank].Request, limit, visit)
	if err == nil && (n+more != len(want) || n != min(limit, len(want)) || !all) {
		err = fmt.Errorf("the request of rank %d has %d blockers and %d more, all=%t, want %v", rank, n, more, all, want)
	}
	return err
}

// withoutNamed returns want without the widenings that the table does not name as blockers of the
// request of a rank, although their grants are in want.
func (h *Harness[N, R]) withoutNamed(rank int, want []int) (named []int) {
	all := map[*locktable.Request[N, int]]bool{}
	h.Table.Blockers(h.live[rank].Request, len(h.live), func(b *locktable.Request[N, int], _ locktable.ConflictPair[N]) { all[b] = true })
	for _, r := range want {
		if all[h.live[r].Request] || !slices.Contains(want, h.Rule.Widens(r)) {
			named = append(named, r)
		}
	}
	return named
}

// endOfNode separates the nodes in the result of AppendEntries. No entry is equal to it.
const endOfNode = 0xff

// maxEntries is more than a sound table fills.
const maxEntries = 1 << 12

// AppendEntries appends to key all entries of the queues of some nodes, in that order: for each
// node the admitted requests by mode, then for each mode the waiting ones from the first to the
// last. A request is known by its rank.
func (h *Harness[N, R]) AppendEntries(key []byte, nodes []N) []byte {
	for _, node := range nodes {
		for s := range h.Table.UsesOf(node) {
			rank := slices.IndexFunc(h.live, func(l liveRequest[N]) bool { return l.Request == s.Request })
			entry := byte(s.Mode)<<4 | byte(rank)<<1
			if s.Admitted {
				entry |= 1
			}
			if key = append(key, entry); len(key) > maxEntries {
				return key // a list is a circle without its head
			}
		}
		key = append(key, endOfNode)
	}
	return key
}
