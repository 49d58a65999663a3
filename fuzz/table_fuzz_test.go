package fuzz_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/fuzz/internal/history"
	"github.com/treelock/treelock/fuzz/tabletest"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/model"
	"github.com/treelock/treelock/internal/terms"
)

type path = treelock.Path

// FuzzTable plays histories with the lock table alone, one step at a time, and compares it with the
// rule after each. Without goroutines and channels it takes some hundred times as many steps as
// FuzzManager.
func FuzzTable(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		if first, second := playTable(t, data), playTable(t, data); first != second {
			t.Errorf("the same steps have granted\n%s\nand then\n%s", first, second)
		}
	})
}

func TestTableGrantsWhatTheRuleSays(t *testing.T) {
	randomHistories(t, 1, func(data []byte) { playTable(t, data) })
}

// A tableRequest is a request in a tableCheck, with short names.
type tableRequest struct{ req treelock.Request[path] }

func (a tableRequest) Conflicts(b tableRequest) bool { return model.Conflict(a.req, b.req) }

func (a tableRequest) Inside(held tableRequest) bool { return model.Inside(a.req, held.req) }

// Some nodes of the world have long names in the table, which finds such nodes in another way.
var (
	longX, longZ = "/x" + strings.Repeat("x", 300), "/z" + strings.Repeat("z", 600)
	lengthen     = strings.NewReplacer("/x", longX, "/z", longZ)
	shorten      = strings.NewReplacer(longX, "/x", longZ, "/z")
)

func (a tableRequest) ConflictsBeside(held, other tableRequest) bool {
	return model.ConflictBeside(a.req, held.req, other.req)
}

func (a tableRequest) Without(held tableRequest) (rest tableRequest, ok bool) {
	rest = tableRequest{model.Without(a.req, held.req)}
	return rest, rest.req.Len() > 0
}

func (a tableRequest) With(other tableRequest) tableRequest {
	return tableRequest{a.req.With(slices.Collect(other.req.Claims())...)}
}

// newTableRequest returns a request that has long names in the table.
func newTableRequest(req treelock.Request[path]) tabletest.Request[path, tableRequest] {
	var long []locktable.Claim[path]
	for mode, lineage := range terms.Claims(req) {
		for i, node := range lineage {
			lineage[i] = path(lengthen.Replace(string(node)))
		}
		long = append(long, locktable.Claim[path]{Mode: mode, Lineage: lineage})
	}
	return tabletest.Request[path, tableRequest]{Rule: tableRequest{req}, Claims: long, NodeUses: tabletest.CountNodeUses(long)}
}

// tableNodes returns the nodes of the world, as the table knows them.
func tableNodes() (nodes []path) {
	for _, node := range history.World {
		nodes = append(nodes, path(lengthen.Replace(string(node))))
	}
	return nodes
}

// A tableCheck is a history of clients at a table.
type tableCheck struct {
	t       *testing.T
	harness *tabletest.Harness[path, tableRequest]
	script  tabletest.Script
	log     strings.Builder // the grants, in order
}

// playTable plays the history that data encodes and returns what was granted, in order.
func playTable(t *testing.T, data []byte) (log string) {
	h := history.Decode(data)
	claimOf := func(u locktable.NodeMode[path]) tableRequest {
		u.Node = path(shorten.Replace(string(u.Node)))
		return tableRequest{model.Of(terms.ClaimOf(u.Node, u.Mode))}
	}
	g := &tableCheck{t: t, harness: tabletest.New(max(h.IdleNodes, 0), terms.NewPaths(), tableNodes(), claimOf)}
	for _, op := range h.Ops {
		g.play(op)
	}
	for g.harness.Rule.Live() > 0 {
		g.end(0)
	}
	return g.log.String()
}

// A client has a request, at most one more under the context of that one, and at most one widening.
// The table knows them by these numbers.
func under(client int) int    { return client + history.Clients }
func widening(client int) int { return client + 2*history.Clients }

// play takes a step. Verbs that mean nothing to a table stand for what only a table does here.
func (g *tableCheck) play(op history.Op) {
	rank, rule := g.harness.RankOf(op.Client), &g.harness.Rule
	switch {
	case rank < 0 && (op.Verb == history.Next || op.Verb == history.Again):
		g.script.Submit(op.Request())
		g.check(nil, g.harness.Submit(op.Client, newTableRequest(op.Request())))
	case rank < 0:
	case op.Verb == history.Withdraw || op.Verb == history.Next && !rule.Granted(rank):
		g.endFirst(widening(op.Client), under(op.Client), op.Client)
	case op.Verb == history.Next:
		g.endFirst(op.Client)
	case !rule.Granted(rank) || rule.Widening(rank) >= 0:
	case op.Verb == history.Narrow:
		narrower := op.Narrower(rule.Request(rank).req)
		g.script.Narrow(rank, narrower)
		g.check(g.harness.Narrow(rank, newTableRequest(narrower)))
	case op.Verb == history.Receive || op.Verb == history.Again:
		g.script.Widen(rank, op.Request())
		_, err := g.harness.Widen(rank, widening(op.Client), newTableRequest(op.Request()))
		g.check(nil, err)
	case op.Verb == history.Token || op.Verb == history.Burst:
		g.submitUnder(rank, op)
	}
}

// submitUnder submits a request while its client holds another one.
func (g *tableCheck) submitUnder(rank int, op history.Op) {
	if g.harness.RankOf(under(op.Client)) >= 0 {
		g.endFirst(under(op.Client))
		return
	}
	g.script.SubmitUnder(rank, op.Request())
	_, err := g.harness.SubmitUnder(rank, under(op.Client), newTableRequest(op.Request()))
	g.check(nil, err)
}

// endFirst ends the first request of these that is live.
func (g *tableCheck) endFirst(clients ...int) {
	for _, client := range clients {
		if rank := g.harness.RankOf(client); rank >= 0 {
			g.end(rank)
			return
		}
	}
}

// end ends the request of a rank.
func (g *tableCheck) end(rank int) {
	g.script.End(rank)
	g.check(g.harness.End(rank))
}

// check notes what a step has granted and checks the table.
func (g *tableCheck) check(granted []*locktable.Request[path, int], err error) {
	g.t.Helper()
	for _, r := range granted {
		fmt.Fprintf(&g.log, "%d ", r.Seq())
	}
	if err == nil {
		err = g.harness.Check()
	}
	if err != nil {
		g.t.Fatalf("%v\n\nThe scenario, with what should have happened:\n\n%s", err, &g.script)
	}
}
