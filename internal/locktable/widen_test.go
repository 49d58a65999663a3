package locktable_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/terms"
)

type pathRequest = treelock.Request[treelock.Path]

var (
	none            = treelock.For[treelock.Path]()
	read, write     = treelock.Read, treelock.Write
	readNode, wNode = treelock.ReadNode, treelock.WriteNode
)

func newTable() *table { return locktable.New[treelock.Path, string](4, terms.NewPaths()) }

// widen widens r by req. It ends the widening if it closes a circle, as a caller does.
func widen(t *testing.T, tb *table, r *request, who string, req pathRequest) (w *request, outcome string) {
	t.Helper()
	w, changed := tb.WidenAs(r, who, locktable.ClaimsOf(req))
	checkSound(t, tb)
	switch {
	case w == nil && changed:
		return nil, "granted"
	case w == nil:
		return nil, "held"
	case tb.Circle(w, nil, nil) == nil:
		return w, "waits"
	}
	if granted := tb.End(w); len(granted) > 0 {
		t.Errorf("the end of a refused widening grants %d requests, want none", len(granted))
	}
	checkSound(t, tb)
	return nil, "refused"
}

// TestWideningPassesExactlyThoseThatWaitForItsGrant has the table of cases of docs/widening.md.
func TestWideningPassesExactlyThoseThatWaitForItsGrant(t *testing.T) {
	for _, tt := range []struct {
		name   string
		holds  pathRequest
		waits  []pathRequest // arrive after the grant, in this order
		widens pathRequest
		want   string
	}{
		{"a writer of the same node is passed", read("/a"), []pathRequest{write("/a")}, write("/a"), "granted"},
		{"reads below count", read("/"), []pathRequest{write("/a")}, write("/a"), "granted"},
		{"reads further below count", read("/"), []pathRequest{write("/a/b")}, wNode("/a/b/c"), "granted"},
		{"reads on the way count", read("/"), []pathRequest{read("/a").Write("/a/x")}, write("/a/y"), "granted"},
		{"it waits for the grant at an ancestor", read("/a"), []pathRequest{write("/")}, write("/b"), "granted"},
		{"it waits for the grant further down", read("/a"), []pathRequest{write("/a")}, write("/"), "refused"},
		{"it waits for the grant elsewhere", read("/a"), []pathRequest{write("/a").Write("/b")}, write("/b"), "refused"},
		{"another one came between", read("/a"), []pathRequest{write("/a"), read("/")}, write("/a"), "refused"},
		{"it came before, although the node is free", write("/a"), []pathRequest{write("/a").Write("/b")}, write("/b"), "refused"},
		{"it is held already", write("/a"), []pathRequest{write("/a/c")}, read("/a/c"), "held"},
		{"nothing waits", none, nil, write("/a").ReadNode("/"), "granted"},
		{"a reader is passed by a reader of more", read("/a"), []pathRequest{write("/")}, read("/"), "granted"},
		{"a node is written that is read", readNode("/a"), []pathRequest{wNode("/a"), write("/a")}, wNode("/a"), "granted"},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
			tb := newTable()
			g := submit(tb, "g", tt.holds)
			var waiters []*request
			for _, req := range tt.waits {
				waiters = append(waiters, submit(tb, "x", req))
			}
			if _, got := widen(t, tb, g, "w", tt.widens); got != tt.want {
				t.Errorf("Widen of %v by %v: %s, want %s", tt.holds, tt.widens, got, tt.want)
			}
			if holds := tt.want == "granted" || tt.want == "held"; tb.Holds(g, locktable.ClaimsOf(tt.widens)) != holds {
				t.Errorf("after Widen: %s, Holds(%v) = %t", tt.want, tt.widens, !holds)
			}
			for i, x := range waiters {
				if !x.Waiting() {
					t.Errorf("Widen has granted %v, which conflicts with the grant", tt.waits[i])
				}
			}
			tb.End(g)
			checkSound(t, tb)
			for _, x := range waiters {
				tb.End(x)
			}
			checkSound(t, tb)
			if tb.Live() != 0 || tb.NodeUses() != 0 {
				t.Errorf("%d requests with %d node uses are left, want none", tb.Live(), tb.NodeUses())
			}
		})
	}
}

func TestWideningWaitsForOtherReadersAndThenPassesAWriter(t *testing.T) {
	tb := newTable()
	g, other := submit(tb, "g", read("/a")), submit(tb, "other", read("/a"))
	writer := submit(tb, "writer", write("/a"))
	w, got := widen(t, tb, g, "w", write("/a"))
	if got != "waits" || w.Widens() != g || g.Widening() != w || w.Seq() != 4 {
		t.Fatalf("Widen: %s, with number %d, want one that waits, with number 4", got, w.Seq())
	}
	if diff := cmp.Diff([]string{"other"}, blockersOf(tb, w)); diff != "" {
		t.Errorf("the blockers of the widening: -want +got:\n%s", diff)
	}
	late := submit(tb, "late", read("/a/b"))
	if diff := cmp.Diff([]string{"writer", "w"}, blockersOf(tb, late)); diff != "" {
		t.Errorf("the blockers of a later reader: -want +got:\n%s", diff)
	}
	granted := tb.End(other)
	if len(granted) != 1 || granted[0] != w || w.Widens() != g || w.Who != "w" || w.Seq() != 0 {
		t.Fatalf("the end of the other reader grants %d requests, want the widening, whose grant is known", len(granted))
	}
	checkSound(t, tb)
	if g.Widening() != nil || !tb.Holds(g, locktable.ClaimsOf(write("/a"))) || tb.Live() != 3 || tb.Waiting() != 2 {
		t.Errorf("the grant has not become a write; %d are live, %d wait, want 3 and 2", tb.Live(), tb.Waiting())
	}
	if granted := tb.End(g); len(granted) != 1 || granted[0] != writer {
		t.Errorf("the end of the grant grants %d requests, want the writer", len(granted))
	}
	if w.Widens() != nil || w.Who != "" {
		t.Errorf("a widening that was granted keeps its grant or its client in memory")
	}
	if granted := tb.End(writer); len(granted) != 1 || granted[0] != late {
		t.Errorf("the end of the writer grants %d requests, want the late reader", len(granted))
	}
}

// blockersOf returns the clients of the blockers of r.
func blockersOf(tb *table, r *request) (names []string) {
	tb.Blockers(r, 10, func(b *request, _ locktable.ConflictPair[treelock.Path]) { names = append(names, b.Who) })
	return names
}

func TestEndOfAWideningLeavesItsGrant(t *testing.T) {
	tb := newTable()
	g, other := submit(tb, "g", read("/a")), submit(tb, "other", write("/b"))
	widen(t, tb, g, "w", write("/b"))
	late := submit(tb, "late", read("/b"))
	tb.End(other)
	if !g.Granted() || g.Widening() != nil || late.Granted() {
		t.Fatalf("the widening is not granted before a later reader")
	}
	checkSound(t, tb)
	other = submit(tb, "other", read("/c"))
	w, got := widen(t, tb, g, "w", write("/c"))
	if got != "waits" {
		t.Fatalf("Widen: %s, want one that waits", got)
	}
	tb.End(w)
	checkSound(t, tb)
	if !g.Granted() || g.Widening() != nil || tb.Holds(g, locktable.ClaimsOf(write("/c"))) || !tb.Holds(g, locktable.ClaimsOf(write("/b"))) {
		t.Errorf("the end of a widening changes what its grant holds")
	}
	if _, ok := tb.Narrow(g, locktable.ClaimsOf(read("/a"))); !ok || !late.Granted() {
		t.Errorf("Narrow after the end of a widening = %t, late granted = %t, want true, true", ok, late.Granted())
	}
	tb.End(other)
}

func TestEndOfAGrantEndsItsWidening(t *testing.T) {
	tb := newTable()
	g, other := submit(tb, "g", read("/a")), submit(tb, "other", write("/b"))
	w, _ := widen(t, tb, g, "w", write("/b"))
	late, later := submit(tb, "late", write("/a")), submit(tb, "later", read("/b"))
	if granted := tb.End(g); len(granted) != 1 || granted[0] != late {
		t.Errorf("the end of the grant grants %d requests, want one", len(granted))
	}
	checkSound(t, tb)
	if w.Seq() != 0 || tb.Widenings() != 0 || tb.Live() != 3 {
		t.Errorf("the widening has outlived its grant: %d requests are live, want 3", tb.Live())
	}
	if granted := tb.End(other); len(granted) != 1 || granted[0] != later {
		t.Errorf("the end of the other grants %d requests, want the later reader", len(granted))
	}
}

func TestMisuseOfWideningPanics(t *testing.T) {
	tb := newTable()
	g, other := submit(tb, "g", read("/a")), submit(tb, "other", write("/b"))
	waiting := submit(tb, "waiting", write("/a"))
	w, _ := widen(t, tb, g, "w", write("/b"))
	claims := locktable.ClaimsOf(read("/a"))
	for name, misuse := range map[string]func(){
		"a second widening":             func() { tb.Widen(g, claims) },
		"a widening that widens":        func() { tb.Widen(w, claims) },
		"a waiting request that widens": func() { tb.Widen(waiting, claims) },
		"a narrowing meanwhile":         func() { tb.Narrow(g, claims) },
		"a circle of a granted request": func() { tb.Circle(other, nil, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			misuse()
		}()
	}
	checkSound(t, tb)
}

func TestUpgradesAndDowngradesOverAndOverPassOnlyThoseThatWaitForTheGrant(t *testing.T) {
	tb := newTable()
	g := submit(tb, "g", read("/a"))
	waiting := submit(tb, "waiting", write("/a"))
	for range 3 {
		if _, got := widen(t, tb, g, "w", write("/a")); got != "granted" {
			t.Fatalf("the upgrade: %s, want granted", got)
		}
		if granted, ok := tb.Narrow(g, locktable.ClaimsOf(read("/a"))); !ok || len(granted) > 0 {
			t.Fatalf("the downgrade: %t, with %d granted, want true and none", ok, len(granted))
		}
	}
	late := submit(tb, "late", read("/a"))
	if _, got := widen(t, tb, g, "w", write("/a")); got != "refused" || !waiting.Waiting() || !late.Waiting() {
		t.Errorf("the upgrade behind a reader that waits for the writer: %s, want refused", got)
	}
}

// TestSurveySeesWhatAnEndedWideningWidened: the grant, or only the widening, ends before the visit.
func TestSurveySeesWhatAnEndedWideningWidened(t *testing.T) {
	for _, name := range []string{"g", "w"} {
		tb := newTable()
		submit(tb, "other", read("/a"))
		g := submit(tb, "g", read("/a"))
		w, _ := widen(t, tb, g, "w", write("/a"))
		saw := 0
		s := tb.BeginSurvey(func(r *request, waiting bool) int {
			if r.Who == "w" && r.Widens() == g && waiting {
				saw++
			}
			return 1
		})
		tb.End(map[string]*request{"g": g, "w": w}[name])
		for tb.StepSurvey(s, 1) == 0 {
		}
		if saw != 1 {
			t.Errorf("after the end of %s the survey sees the widening with its grant %d times, want once", name, saw)
		}
	}
}

// TestSurveySeesAWideningAsItWas: a survey that began while the widening waited shows it and its
// grant, although the widening is granted before their visits.
func TestSurveySeesAWideningAsItWas(t *testing.T) {
	tb := newTable()
	other, g := submit(tb, "other", read("/a")), submit(tb, "g", read("/a"))
	widen(t, tb, g, "w", write("/a"))
	seen := map[string]int{}
	s := tb.BeginSurvey(func(r *request, waiting bool) int {
		seen[r.Who] = len(r.Uses())
		if waiting != (r.Who == "w") {
			t.Errorf("the survey sees %s with waiting=%t", r.Who, waiting)
		}
		return 1
	})
	tb.End(other)
	tb.End(submit(tb, "late", write("/c")))
	for tb.StepSurvey(s, 1) == 0 {
	}
	// The grant reads below / and /a; the widening writes below / and /a.
	if diff := cmp.Diff(map[string]int{"other": 2, "g": 2, "w": 2}, seen); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	checkSound(t, tb)
}
