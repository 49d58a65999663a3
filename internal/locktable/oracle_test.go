package locktable_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/terms"
)

type pathClaim = treelock.Claim[treelock.Path]

// claimsConflict is the contract's sentence on two claims, for the texts of paths.
func claimsConflict(c, d pathClaim) bool {
	if c.Access == treelock.Shared && d.Access == treelock.Shared {
		return false
	}
	below := func(c, d pathClaim) bool { // the node of d is in the region of c
		return c.Node == d.Node || c.Scope == treelock.Subtree && (c.Node == "/" || strings.HasPrefix(string(d.Node), string(c.Node)+"/"))
	}
	return below(c, d) || below(d, c)
}

// An oracle holds the live requests by arrival, with their claims in plain lists. It says what a
// table must say.
type oracle struct {
	tb   *table
	live []*oracleRequest
}

type oracleRequest struct {
	r      *request
	claims []pathClaim
}

func newOracle(maxIdle int) *oracle {
	return &oracle{tb: locktable.New[treelock.Path, string](maxIdle, terms.NewPaths())}
}

func (o *oracle) submit(who string, req treelock.Request[treelock.Path]) *oracleRequest {
	e := &oracleRequest{submit(o.tb, who, req), slices.Collect(req.Claims())}
	o.live = append(o.live, e)
	return e
}

func (o *oracle) end(e *oracleRequest) {
	o.tb.End(e.r)
	o.live = slices.DeleteFunc(o.live, func(other *oracleRequest) bool { return other == e })
}

func (o *oracle) narrow(e *oracleRequest, req treelock.Request[treelock.Path]) bool {
	_, ok := o.tb.Narrow(e.r, locktable.ClaimsOf(req))
	if ok {
		e.claims = slices.Collect(req.Claims())
	}
	return ok
}

// blockers returns the earlier requests that conflict with e, by arrival.
func (o *oracle) blockers(e *oracleRequest) (found []*oracleRequest) {
	for _, earlier := range o.live {
		if earlier == e {
			return found
		}
		if slices.ContainsFunc(earlier.claims, func(c pathClaim) bool {
			return slices.ContainsFunc(e.claims, func(d pathClaim) bool { return claimsConflict(c, d) })
		}) {
			found = append(found, earlier)
		}
	}
	return found
}

// exact is the number of blockers up to which a search must find all.
const exact = 64

// check compares what the table says about the blockers of e with the oracle. It returns the first
// difference, or "".
func (o *oracle) check(e *oracleRequest, limit int) string {
	want := o.blockers(e)
	if e.r.Waiting() != (len(want) > 0) {
		return fmt.Sprintf("Waiting() = %t, with %d blockers", e.r.Waiting(), len(want))
	}
	if !e.r.Waiting() {
		return ""
	}
	var wrong string
	var got []*request
	more, all := o.tb.Blockers(e.r, limit, func(b *request, why locktable.ConflictPair[treelock.Path]) {
		claim, wanted := terms.ClaimOf(why.Claim.Node, why.Claim.Mode), terms.ClaimOf(why.Wanted.Node, why.Wanted.Mode)
		i := slices.IndexFunc(want, func(w *oracleRequest) bool { return w.r == b })
		switch {
		case i < 0:
			wrong = fmt.Sprintf("names #%d, which does not conflict or came later", b.Seq())
		case !claimsConflict(claim, wanted):
			wrong = fmt.Sprintf("says that %v and %v conflict", claim, wanted)
		case !slices.Contains(want[i].claims, claim):
			wrong = fmt.Sprintf("says that #%d claims %v, which it does not", b.Seq(), claim)
		case !slices.Contains(e.claims, wanted):
			wrong = fmt.Sprintf("says that it claims %v, which it does not", wanted)
		case len(got) > 0 && got[len(got)-1].Seq() >= b.Seq():
			wrong = "names blockers in another order than that of arrival"
		}
		got = append(got, b)
	})
	count := len(got) + more
	switch {
	case wrong != "":
		return wrong
	case more < 0 || count > len(want) || len(got) != min(limit, count):
		return fmt.Sprintf("names %d and %d more of %d", len(got), more, len(want))
	case all && count != len(want):
		return fmt.Sprintf("says that %d are all, and there are %d", count, len(want))
	case !all && len(want) <= exact:
		return fmt.Sprintf("says at least %d, and does not find %d", count, len(want))
	}
	for i, b := range got {
		if all && b != want[i].r {
			return fmt.Sprintf("names #%d where #%d came earlier", b.Seq(), want[i].r.Seq())
		}
	}
	return ""
}

// checkAll checks the blockers of all requests, and the invariants.
func (o *oracle) checkAll(t *testing.T, limit int) {
	t.Helper()
	for _, e := range o.live {
		if wrong := o.check(e, limit); wrong != "" {
			t.Fatalf("#%d %v %s; live are %s", e.r.Seq(), e.claims, wrong, o)
		}
	}
	checkSound(t, o.tb)
}

func (o *oracle) String() string {
	var b strings.Builder
	for _, e := range o.live {
		fmt.Fprintf(&b, "\n#%d %.300v", e.r.Seq(), fmt.Sprint(e.claims))
	}
	return b.String()
}

// oracleNames are the names in random paths. Some make paths of about the length from which a table
// treats names as long.
var oracleNames = []string{"a", "b", strings.Repeat("c", 127), strings.Repeat("d", 128), strings.Repeat("e", 254), strings.Repeat("f", 255)}

func randomPath(rng *rand.Rand) treelock.Path {
	p := ""
	for range rng.IntN(6) {
		p += "/" + oracleNames[rng.IntN(len(oracleNames))%(1+rng.IntN(len(oracleNames)))]
	}
	return treelock.Path(max(p, "/"))
}

func randomRequest(rng *rand.Rand) (req treelock.Request[treelock.Path]) {
	n := 1 + rng.IntN(3)
	if rng.IntN(8) == 0 {
		n += rng.IntN(40)
	}
	for range n {
		p := randomPath(rng)
		switch rng.IntN(6) {
		case 0:
			req = req.Read(p)
		case 1:
			req = req.Write(p)
		case 2, 3:
			req = req.ReadNode(p)
		default:
			req = req.WriteNode(p)
		}
	}
	return req
}

// narrower returns a random request that is inside the claims of e.
func (e *oracleRequest) narrower(rng *rand.Rand) (req treelock.Request[treelock.Path]) {
	for range rng.IntN(4) {
		c := e.claims[rng.IntN(len(e.claims))]
		if c.Scope == treelock.Subtree {
			if more := randomPath(rng); more != "/" {
				c.Node = treelock.Path(strings.TrimSuffix(string(c.Node), "/")) + more
			}
			c.Scope = treelock.Scope(rng.IntN(2))
		}
		if c.Access == treelock.Exclusive {
			c.Access = treelock.Access(rng.IntN(2))
		}
		add := [2][2]func(...treelock.Path) treelock.Request[treelock.Path]{{req.Read, req.Write}, {req.ReadNode, req.WriteNode}}
		req = add[c.Scope][c.Access](c.Node)
	}
	return req
}

// TestBlockersAreWhatTheContractSays compares small, changing tables with the oracle.
func TestBlockersAreWhatTheContractSays(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 11))
		o := newOracle([]int{0, 1, 5, 100}[seed%4])
		for range 150 {
			var e *oracleRequest
			if len(o.live) > 0 {
				e = o.live[rng.IntN(len(o.live))]
			}
			switch step := rng.IntN(8); {
			case e == nil || step < 4 && len(o.live) < 30:
				o.submit("", randomRequest(rng))
			case step < 6 && e.r.Granted() && len(e.claims) > 0:
				if req := e.narrower(rng); !o.narrow(e, req) {
					t.Fatalf("Narrow(%v) of %v is refused", req, e.claims)
				}
			default:
				o.end(e)
			}
			o.checkAll(t, 1+rng.IntN(6))
		}
	}
}

// TestBlockersAreFoundAmongManyRequests is about everything that a search must not spend its bounds
// on: requests elsewhere, requests that it meets and that do not block, and further claims.
func TestBlockersAreFoundAmongManyRequests(t *testing.T) {
	const many = 20_000
	bottom := treelock.Path("/x" + strings.Repeat("/d", 4090))
	submitAll := func(o *oracle, reqs func(...treelock.Path) treelock.Request[treelock.Path], paths []treelock.Path) {
		for _, p := range paths {
			o.submit("", reqs(p))
		}
	}
	for name, test := range map[string]struct {
		fill func(o *oracle)
		req  treelock.Request[treelock.Path]
	}{
		"storage that was used before": {func(o *oracle) {
			submitAll(o, treelock.Write, numbered("/burst", 1100))
			burst := slices.Clone(o.live)
			o.submit("", treelock.Write("/x/1"))
			for _, e := range burst {
				o.end(e)
			}
		}, treelock.Read("/x")},
		"writers elsewhere": {func(o *oracle) {
			submitAll(o, treelock.Write, numbered("/else", many))
			o.submit("", treelock.Write("/x/1"))
		}, treelock.Read("/x")},
		"readers below, and one writer": {func(o *oracle) {
			submitAll(o, treelock.Read, numbered("/x", many))
			o.submit("", treelock.WriteNode("/x/777/1"))
		}, treelock.Read("/x")},
		"former writers that now read, after a first search": {func(o *oracle) {
			for _, p := range numbered("/x", many) {
				o.narrow(o.submit("", treelock.Write(p)), treelock.Read(p))
			}
			o.submit("", treelock.Write("/x/y"))
			first := o.submit("", treelock.Read("/x"))
			o.tb.Blockers(first.r, 1, func(*request, locktable.ConflictPair[treelock.Path]) {}) // relinks
			o.end(first)
		}, treelock.Read("/x")},
		"readers of the node, and a writer that waits": {func(o *oracle) {
			submitAll(o, treelock.Read, slices.Repeat([]treelock.Path{"/x"}, many))
			o.submit("", treelock.Write("/x"))
		}, treelock.Read("/x")},
		"claims of the blocker elsewhere": {func(o *oracle) {
			o.submit("", treelock.Write(append(numbered("/x", 1100), "/b/y")...))
		}, treelock.Read("/b")},
		"claims of the blocker below": {func(o *oracle) {
			o.submit("", treelock.Write(numbered("/x", 5*many)...))
		}, treelock.Write("/x")},
		"claims of the request": {func(o *oracle) {
			o.submit("", treelock.Read("/b"))
		}, treelock.Read(numbered("/x", 1100)...).ReadNode("/b/y").Write("/b/x")},
		"another claim of the request": {func(o *oracle) {
			o.submit("", treelock.Write("/x/1"))
		}, treelock.Read("/y", "/x")},
		"another write of the request": {func(o *oracle) {
			o.submit("", treelock.Read("/b"))
		}, treelock.Write("/c/z").ReadNode("/b/y").Write("/b/x")},
		"a blocker far above": {func(o *oracle) {
			o.submit("", treelock.Read("/x"))
		}, treelock.Write("/x/1/2/3/4/5/6/7/8/9/10/11/12/13/14")},
		"a blocker as far below as may be": {func(o *oracle) {
			submitAll(o, treelock.Read, numbered("/x", 10))
			o.submit("", treelock.Write(bottom))
		}, treelock.Read("/")},
		"blockers below that arrived in another order": {func(o *oracle) {
			submitAll(o, treelock.Write, numbered("/x", exact))
			all := slices.Clone(o.live)
			for _, i := range []int{3, 0, 2} { // leave, and arrive again last
				o.end(all[i])
				o.submit("", treelock.Write(all[i].claims[0].Node))
			}
		}, treelock.Read("/")},
		"readers of the node alone, then one of the subtree": {func(o *oracle) {
			submitAll(o, treelock.ReadNode, slices.Repeat([]treelock.Path{"/x"}, many))
			o.submit("", treelock.Read("/x"))
		}, treelock.Write("/x/y")},
		"readers of the node alone, then one that also writes below": {func(o *oracle) {
			submitAll(o, treelock.ReadNode, slices.Repeat([]treelock.Path{"/x"}, many))
			o.submit("", treelock.ReadNode("/x").Write("/x/y"))
		}, treelock.Read("/x")},
		"readers of a node below, and a writer below that": {func(o *oracle) {
			submitAll(o, treelock.ReadNode, slices.Repeat([]treelock.Path{"/x/y"}, many))
			o.submit("", treelock.Write("/x/y/z"))
		}, treelock.Read("/x")},
		"readers below, and a writer that waits": {func(o *oracle) {
			submitAll(o, treelock.Read, slices.Repeat([]treelock.Path{"/x/1"}, many))
			o.submit("", treelock.Write("/x/1"))
		}, treelock.Read("/")},
		"readers of nodes below that were written": {func(o *oracle) {
			var written []*oracleRequest
			for _, p := range numbered("/x", many) {
				o.submit("", treelock.Read(p+"/r"))
				written = append(written, o.submit("", treelock.Write(p+"/w")))
			}
			o.submit("", treelock.Write("/x/y"))
			for _, e := range written {
				o.tb.End(e.r)
			}
			o.live = slices.DeleteFunc(o.live, func(e *oracleRequest) bool { return e.r.Seq() == 0 })
		}, treelock.Read("/x")},
		"one below, and many that wait for the other nodes of the request": {func(o *oracle) {
			o.submit("", treelock.Write("/x/y"))
			for _, p := range numbered("/w", 32) {
				for range exact {
					o.submit("", treelock.Write(p))
				}
			}
		}, treelock.Read(numbered("/w", 32)...).Read("/x")},
		"readers of the node, and an earlier one that has narrowed to it": {func(o *oracle) {
			e := o.submit("", treelock.Read("/"))
			for range 2 * exact {
				o.submit("", treelock.Read("/x"))
			}
			o.narrow(e, treelock.Read("/x"))
		}, treelock.Write("/x")},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOracle(4096)
			test.fill(o)
			e := o.submit("", test.req)
			if wrong := o.check(e, 4); wrong != "" {
				t.Error(wrong)
			}
			first := o.blockers(e)[0].r
			o.tb.Blockers(e.r, 1, func(b *request, _ locktable.ConflictPair[treelock.Path]) {
				if b != first {
					t.Errorf("names #%d first, want #%d", b.Seq(), first.Seq())
				}
			})
			checkSound(t, o.tb)
		})
	}
}

// TestSearchSaysWhetherItFoundAll is about the bounds of a search. (A claimed node takes two
// visits.)
func TestSearchSaysWhetherItFoundAll(t *testing.T) {
	readers := func(at ...treelock.Path) func(tb *table) {
		return func(tb *table) {
			for _, p := range at {
				submit(tb, "", treelock.Read(p))
			}
		}
	}
	same := func(n int) []treelock.Path { return slices.Repeat([]treelock.Path{"/x"}, n) }
	waiters := func(n int) func(tb *table) {
		return func(tb *table) {
			submit(tb, "", treelock.Read("/x"))
			for range n {
				submit(tb, "", treelock.Write("/x"))
			}
		}
	}
	wide := func(n int) func(tb *table) {
		return func(tb *table) {
			submit(tb, "", treelock.Write(numbered("/x", n)...))
			submit(tb, "", treelock.Write("/x/y"))
		}
	}
	for name, test := range map[string]struct {
		fill  func(tb *table)
		req   treelock.Request[treelock.Path]
		count int
		all   bool
	}{
		"readers of the node":               {readers(same(64)...), treelock.Write("/x"), 64, true},
		"too many readers of the node":      {readers(same(65)...), treelock.Write("/x"), 64, false},
		"waiters":                           {waiters(64), treelock.Read("/x"), 64, true},
		"too many waiters":                  {waiters(65), treelock.Read("/x"), 64, false},
		"readers below":                     {readers(numbered("/x", 1024)...), treelock.Write("/x"), 1024, true},
		"too many readers below":            {readers(numbered("/x", 1025)...), treelock.Write("/x"), 1024, false},
		"readers of a node below":           {readers(same(1024)...), treelock.Write("/"), 1024, true},
		"too many readers of a node below":  {readers(same(1025)...), treelock.Write("/"), 1024, false},
		"a request with many claims below":  {wide(8_191), treelock.Read("/x"), 2, true},
		"a request with too many, below":    {wide(8_192), treelock.Read("/x"), 1, false},
		"waiters for a node below":          {waiters(1024), treelock.Read("/"), 1024, true},
		"too many waiters for a node below": {waiters(1025), treelock.Read("/"), 1024, false},
	} {
		tb := locktable.New[treelock.Path, string](4096, terms.NewPaths())
		test.fill(tb)
		named := 0
		more, all := tb.Blockers(submit(tb, "", test.req), 3, func(*request, locktable.ConflictPair[treelock.Path]) { named++ })
		if count := named + more; count != test.count || all != test.all {
			t.Errorf("%s: %d blockers, all=%t, want %d and %t", name, count, all, test.count, test.all)
		}
	}
}
