package locktable_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/model"
)

type (
	table   = locktable.Table[treelock.Path, string]
	request = locktable.Request[treelock.Path, string]
)

// world is a small tree that has every relation between two nodes: equal, above, below, beside, in
// different branches.
var world = []treelock.Path{"/", "/a", "/a/x", "/a/x/1", "/a/y", "/b", "/b/z"}

// claimsOf does what a client of the table does before it submits.
func claimsOf(req treelock.Request[treelock.Path]) (claims []locktable.Claim[treelock.Path]) {
	for c := range req.Claims() {
		claim := locktable.Claim[treelock.Path]{Mode: locktable.ModeOf(c.Scope, c.Access)}
		for node, ok := c.Node, true; ok; node, ok = node.Parent() {
			claim.Lineage = append(claim.Lineage, node)
		}
		claims = append(claims, claim)
	}
	return claims
}

// randomRequest returns a request of up to four claims anywhere in world.
func randomRequest(rng *rand.Rand) (req treelock.Request[treelock.Path]) {
	for range rng.IntN(5) {
		node := world[rng.IntN(len(world))]
		switch rng.IntN(4) {
		case 0:
			req = req.Read(node)
		case 1:
			req = req.Write(node)
		case 2:
			req = req.ReadNode(node)
		case 3:
			req = req.WriteNode(node)
		}
	}
	return req
}

// narrower returns a random request, most often one that lies inside req.
func narrower(rng *rand.Rand, req treelock.Request[treelock.Path]) (narrow treelock.Request[treelock.Path]) {
	if rng.IntN(4) == 0 {
		return randomRequest(rng)
	}
	for c := range req.Claims() {
		node := c.Node
		for range rng.IntN(3) {
			below := world[rng.IntN(len(world))]
			if parent, ok := below.Parent(); ok && parent == node && c.Scope == treelock.Subtree {
				node = below
			}
		}
		exclusive, subtree := c.Access == treelock.Exclusive, c.Scope == treelock.Subtree
		switch rng.IntN(6) {
		case 0, 1:
			narrow = narrow.ReadNode(node)
		case 2:
			if subtree {
				narrow = narrow.Read(node)
			}
		case 3:
			if subtree && exclusive {
				narrow = narrow.Write(node)
			}
		case 4:
			if exclusive {
				narrow = narrow.WriteNode(node)
			}
		}
	}
	return narrow
}

// duel drives a table and the model through the same steps.
type duel struct {
	t     *testing.T
	table *table
	model model.Model[treelock.Path]
	live  map[string]*request
	reqs  map[string]treelock.Request[treelock.Path]
	log   []string
}

func (d *duel) step(format string, args ...any) { d.log = append(d.log, fmt.Sprintf(format, args...)) }

// submit is the arrival of a request at both.
func (d *duel) submit(name string, req treelock.Request[treelock.Path]) {
	d.step("submit %s %v", name, req)
	r := d.table.Submit(name, claimsOf(req))
	var got []string
	if r.Granted() {
		got = []string{name}
	}
	d.live[name], d.reqs[name] = r, req
	d.compare(got, d.model.Submit(name, req))
}

// end releases or withdraws a request at both.
func (d *duel) end(name string) {
	d.step("end %s", name)
	r := d.live[name]
	delete(d.live, name)
	d.compare(names(d.table.End(r)), d.model.End(name))
}

// narrow narrows a request, which is granted, at both.
func (d *duel) narrow(name string, req treelock.Request[treelock.Path]) {
	d.step("narrow %s %v", name, req)
	granted, ok := d.table.Narrow(d.live[name], claimsOf(req))
	want, wantOK := d.model.Narrow(name, req)
	if ok != wantOK {
		d.fatalf("Narrow(%s, %v) = %t, want %t", name, req, ok, wantOK)
	}
	if ok {
		d.reqs[name] = req
	}
	d.compare(names(granted), want)
}

// compare checks what a step granted, and all invariants.
func (d *duel) compare(granted, want []string) {
	d.t.Helper()
	sorted := cmpopts.SortSlices(func(a, b string) bool { return a < b })
	if diff := cmp.Diff(want, granted, sorted, cmpopts.EquateEmpty()); diff != "" {
		d.fatalf("I2: granted, -want +got:\n%s", diff)
	}
	for name, r := range d.live {
		if r.Granted() != d.model.Granted(name) {
			d.fatalf("I2: %s has granted=%t, want %t", name, r.Granted(), d.model.Granted(name))
		}
	}
	if err := d.table.Check(); err != nil {
		d.fatalf("%v", err)
	}
	if d.table.Waiting() != d.model.Waiting() || d.table.Live() != len(d.live) {
		d.fatalf("%d live, %d waiting, want %d and %d", d.table.Live(), d.table.Waiting(), len(d.live), d.model.Waiting())
	}
}

func (d *duel) fatalf(format string, args ...any) {
	d.t.Helper()
	for _, line := range d.log {
		d.t.Log(line)
	}
	d.t.Fatalf(format, args...)
}

func names(requests []*request) (names []string) {
	for _, r := range requests {
		names = append(names, r.Who)
	}
	return names
}

func TestTableGrantsWhatTheRuleSays(t *testing.T) {
	for seed := range uint64(150) {
		rng := rand.New(rand.NewPCG(seed, 1))
		d := &duel{t: t, table: locktable.New[treelock.Path, string](rng.IntN(6)), live: map[string]*request{}, reqs: map[string]treelock.Request[treelock.Path]{}}
		for step := range 120 {
			name := d.pick(rng)
			switch action := rng.IntN(10); {
			case name == "" || action < 5 && len(d.live) < 9:
				d.submit(fmt.Sprintf("r%d", step), randomRequest(rng))
			case action < 8 || !d.live[name].Granted():
				d.end(name)
			default:
				d.narrow(name, narrower(rng, d.reqs[name]))
			}
		}
		for name := d.pick(rng); name != ""; name = d.pick(rng) {
			d.end(name)
		}
	}
}

// pick returns the name of some live request, "" if there is none.
func (d *duel) pick(rng *rand.Rand) string {
	live := d.model.Live()
	if len(live) == 0 {
		return ""
	}
	return live[rng.IntN(len(live))]
}
