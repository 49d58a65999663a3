package fuzz_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/fuzz/locktest"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/model"
)

type (
	path  = treelock.Path
	table = locktable.Table[path, *contestant]
)

// A duel drives a table and the model through the same steps, and compares them after each.
type duel struct {
	t       *testing.T
	table   *table
	maxIdle int
	model   model.Model[path]
	live    map[string]*locktable.Request[path, *contestant]
	grants  []*contestant // all that were ever granted
	script  strings.Builder
	log     string // what was granted, in order
	waits   waits
}

// waits is how long requests waited, counted in conflicting requests that were granted meanwhile, and how long they
// could have by the bound: the conflicting requests that were live when they arrived.
type waits struct{ count, longest, bound int }

func (w *waits) add(o waits) {
	w.count, w.longest, w.bound = w.count+o.count, max(w.longest, o.longest), max(w.bound, o.bound)
}

// A contestant is a request in a duel.
type contestant struct {
	name    string
	req     treelock.Request[path] // as it arrived
	seq     uint64
	granted bool

	rivals []string // the conflicting requests that were live when it arrived
	passed int      // how many of them were granted while it waited
}

func newDuel(t *testing.T, maxIdle int) *duel {
	return &duel{
		t: t, maxIdle: maxIdle,
		table: locktable.New[path, *contestant](maxIdle),
		live:  map[string]*locktable.Request[path, *contestant]{},
	}
}

// submit is the arrival of a request at both.
func (d *duel) submit(name string, req treelock.Request[path]) {
	d.t.Helper()
	c := &contestant{name: name, req: req}
	want := d.model.Submit(name, req)
	c.rivals = d.model.Blockers(name)
	d.note("submit "+name+" "+locktest.Claims(req), name, want)

	r := d.table.Submit(c, longClaims(req))
	c.seq, d.live[name] = r.Seq(), r
	var got []*locktable.Request[path, *contestant]
	if r.Granted() {
		got = append(got, r)
	}
	d.compare(got, want)
}

// end releases or withdraws a request at both.
func (d *duel) end(name string) {
	d.t.Helper()
	r := d.live[name]
	verb := "withdraw "
	if r.Granted() {
		verb = "release "
	}
	want := d.model.End(name)
	d.note(verb+name, name, want)
	delete(d.live, name)
	d.compare(d.table.End(r), want)
}

// narrow narrows a request, which is granted, at both.
func (d *duel) narrow(name string, req treelock.Request[path]) {
	d.t.Helper()
	want, wantOK := d.model.Narrow(name, req)
	d.note("narrow "+name+" "+locktest.Claims(req), name, want)
	got, ok := d.table.Narrow(d.live[name], longClaims(req))
	if ok != wantOK {
		d.fatalf("I2: Narrow(%s, %v) = %t, want %t", name, req, ok, wantOK)
	}
	d.compare(got, want)
}

// The table has long names for some nodes of the world, as it finds those in another way.
var (
	longX, longZ = "/x" + strings.Repeat("x", 300), "/z" + strings.Repeat("z", 600)
	lengthen     = strings.NewReplacer("/x", longX, "/z", longZ)
	shorten      = strings.NewReplacer(longX, "/x", longZ, "/z")
)

// longClaims returns the claims of req for the table.
func longClaims(req treelock.Request[path]) []locktable.Claim[path] {
	var claims []treelock.Claim[path]
	for c := range req.Claims() {
		c.Node = path(lengthen.Replace(string(c.Node)))
		claims = append(claims, c)
	}
	return locktable.ClaimsOf(model.Of(claims...))
}

// shortClaim is the way back, for one claim.
func shortClaim(u locktable.Used[path]) treelock.Request[path] {
	u.Node = path(shorten.Replace(string(u.Node)))
	return model.Of(locktable.ClaimOf(u))
}

// compare checks what a step has granted, and all invariants.
func (d *duel) compare(got []*locktable.Request[path, *contestant], want []string) {
	d.t.Helper()
	for _, r := range got {
		d.log += r.Who.name + " "
		d.grant(r.Who)
		if !slices.Contains(want, r.Who.name) {
			d.fatalf("I2: %s was granted, and the rule says %v", r.Who.name, want)
		}
	}
	if len(got) < len(want) {
		d.fatalf("I2: %d requests were granted, and the rule says %v", len(got), want)
	}
	for name, r := range d.live {
		if r.Granted() != d.model.Granted(name) {
			d.fatalf("I2: %s has granted=%t, and the rule says %t", name, r.Granted(), d.model.Granted(name))
		}
	}
	d.checkHolders()
	d.checkBlockers()
	if err := d.table.Check(); err != nil {
		d.fatalf("%v", err)
	}
	if d.table.Waiting() != d.model.Waiting() || d.table.Live() != len(d.live) {
		d.fatalf("I5: %d live, %d waiting, want %d and %d", d.table.Live(), d.table.Waiting(), len(d.live), d.model.Waiting())
	}
}

// grant takes in that c was granted.
func (d *duel) grant(c *contestant) {
	d.t.Helper()
	if c.granted {
		d.fatalf("I6: %s was granted again", c.name)
	}
	c.granted = true
	for _, earlier := range d.grants {
		if earlier.seq >= c.seq && model.Conflict(earlier.req, c.req) {
			d.fatalf("I7: %s has number %d, and %s, which it conflicts with, had %d before", c.name, c.seq, earlier.name, earlier.seq)
		}
	}
	d.grants = append(d.grants, c)
	if len(c.rivals) > 0 {
		d.waits.add(waits{1, c.passed, len(c.rivals)})
	}
	d.fairness(c)
}

// fairness checks that what is granted while a conflicting request waits was live before that arrived: a request waits for
// no more conflicting ones than that.
func (d *duel) fairness(c *contestant) {
	d.t.Helper()
	for name, r := range d.live {
		waiter := r.Who
		if name == c.name || !r.Waiting() || !model.Conflict(waiter.req, c.req) {
			continue
		}
		if !slices.Contains(waiter.rivals, c.name) {
			d.fatalf("I2: %s was granted while %s waits, which came before it and conflicts with it", c.name, name)
		}
		waiter.passed++
	}
}

// checkHolders checks exclusion, and that there is no deadlock.
func (d *duel) checkHolders() {
	d.t.Helper()
	holds := func(name string) bool { return d.live[name].Granted() }
	live := d.model.Live()
	if len(live) > 0 && !holds(live[0]) {
		d.fatalf("I2: deadlock: %s, the earliest of all, waits", live[0])
	}
	for i, a := range live {
		for _, b := range live[:i] {
			if holds(a) && holds(b) && model.Conflict(d.model.Request(a), d.model.Request(b)) {
				d.fatalf("I1: %s and %s hold together", b, a)
			}
		}
	}
}

// checkBlockers checks that each request that waits can say for whom, and because of which claims.
func (d *duel) checkBlockers() {
	d.t.Helper()
	for name, r := range d.live {
		if !r.Waiting() {
			continue
		}
		const limit = 3
		var got []*contestant
		want := d.model.Blockers(name)
		more, all := d.table.Blockers(r, limit, func(b *locktable.Request[path, *contestant], why locktable.Quarrel[path]) {
			claim, wanted := shortClaim(why.Claim), shortClaim(why.Wanted)
			if !model.Conflict(claim, wanted) || !covers(d.model.Request(b.Who.name), claim) || !covers(d.model.Request(name), wanted) {
				d.fatalf("%s waits for %s, since %v and %v conflict, which they claim", name, b.Who.name, wanted, claim)
			}
			got = append(got, b.Who)
		})
		if len(got)+more != len(want) || len(got) != min(limit, len(want)) || !all {
			d.fatalf("%s waits for %d requests and %d more, all=%t, want %v", name, len(got), more, all, want)
		}
		for i, b := range got {
			if b.name != want[i] {
				d.fatalf("%s waits for %s, want %s", name, b.name, want[i])
			}
		}
	}
}

// covers reports whether req has the claim of one, or one that is wider.
func covers(req, one treelock.Request[path]) bool {
	var m model.Model[path]
	m.Submit("", req)
	_, ok := m.Narrow("", one)
	return ok
}

// note writes a step, and what should come of it, to the script.
func (d *duel) note(command, by string, granted []string) {
	fmt.Fprintf(&d.script, "%s\n----\n", command)
	if blockers := d.model.Blockers(by); len(blockers) > 0 {
		fmt.Fprintf(&d.script, "%s: waits for %s\n", by, strings.Join(blockers, ", "))
	}
	for _, name := range granted {
		fmt.Fprintf(&d.script, "%s: granted\n", name)
	}
	d.script.WriteString("\n")
}

func (d *duel) fatalf(format string, args ...any) {
	d.t.Helper()
	d.t.Fatalf(format+"\n\nThe scenario, with what should have happened:\n\n%s", append(args, d.script.String())...)
}
