package fuzz_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
	"github.com/treelock/treelock/manager"
)

// A house is a manager in a synctest bubble, with sane and wild guests. After each command it is brought to
// rest. For the sane guests the rule must hold exactly then: they are compared with package model, which knows
// nothing of the others. A wild guest may come to what its own doing brings upon it, and to nothing else.
type house struct {
	t *testing.T
	m *manager.Manager[being]

	maxDepth, maxWaiting int

	// For the wild, on any goroutine.

	stop    context.CancelFunc
	stopped atomic.Bool
	steps   atomic.Int64 // up from wild beings, in all
	home    atomic.Int32 // how often movers have moved
	whim    atomic.Int32 // how often a fickle one was asked
	gate    *gate

	// For the one goroutine that plays.

	conducts map[string]*conduct
	model    model.Model[being] // the sane guests alone
	guests   []*guest
	granted  []holding // what sane guests were ever granted
	waiting  int       // how many waited in the manager at the last rest
	draining bool
	over     bool // the manager had stopped at the last rest
	script   strings.Builder
	seen     map[string]bool
}

// A holding is what was granted once, and its fencing token.
type holding struct {
	req   treelock.Request[being]
	token uint64
}

func newHouse(t *testing.T, maxDepth, maxWaiting, idle int) *house {
	h := &house{t: t, maxDepth: maxDepth, maxWaiting: maxWaiting, gate: newGate(), conducts: map[string]*conduct{}, seen: map[string]bool{}}
	var ctx context.Context
	ctx, h.stop = context.WithCancel(context.Background())
	h.m = manager.StartNodes[being](ctx, manager.WithMaxDepth(maxDepth), manager.WithMaxWaiting(maxWaiting), manager.WithIdleNodes(idle))
	h.say("a manager with at most %d nodes in a lineage, %d that wait, %d idle nodes", maxDepth, maxWaiting, idle)
	return h
}

// say writes a line of the history.
func (h *house) say(format string, args ...any) { fmt.Fprintf(&h.script, format+"\n", args...) }

// fail ends the test with the history. It lets all go first, as a bubble must not be left with anyone in it.
func (h *house) fail(format string, args ...any) {
	h.t.Helper()
	h.endManager()
	for _, g := range h.guests {
		g.cancel()
		if !isClosed(g.leave) {
			close(g.leave)
		}
	}
	for range maxClaims + 1 {
		h.gate.letAll()
		synctest.Wait()
	}
	h.t.Fatalf("%s\nThe history:\n\n%s", fmt.Sprintf(format, args...), h.script.String())
}

// endManager is the end of the manager's context.
func (h *house) endManager() {
	h.stopped.Store(true)
	h.stop()
}

// bother uses the manager from within the user's code that it runs.
func (h *house) bother() {
	if g, err := h.m.TryAcquire(treelock.Request[being]{}.Read(sane("/wild/c"))); err == nil {
		g.Release()
	}
}

// admit lets a guest make its call.
func (h *house) admit(g *guest) *guest {
	g.leave, g.inside, g.back = make(chan struct{}), make(chan struct{}), make(chan struct{})
	h.guests = append(h.guests, g)
	h.seen[g.verb] = true
	return g
}

// settle brings the bubble to rest and learns what has become of everybody.
func (h *house) settle() {
	h.t.Helper()
	synctest.Wait()
	before := h.waiting
	h.waiting = -int(h.gate.queue.Load()) // who waits there is not in the manager yet
	wild, wildHold, hold := h.waiting, 0, 0
	for _, g := range h.guests {
		if g.gone || g.verb == "drain" {
			continue
		}
		h.learn(g, before)
		switch {
		case g.told == "waits" && g.sane:
			h.waiting++
		case g.told == "waits":
			h.waiting++
			wild++
		case g.holds && g.sane:
			hold++
		case g.holds && g.verb != "narrow":
			hold++
			wildHold++
		}
	}
	if wild > 0 && wildHold == 0 {
		h.fail("I2: %d of the wild wait, and none of them holds anything", wild)
	}
	if h.over = h.stopped.Load(); h.over && h.waiting > 0 {
		h.fail("%d wait in a manager that has stopped", h.waiting)
	}
	h.judgeDrains(h.waiting + hold)
}

// judgeDrains checks that those who drain the manager are told when nothing is live any more, at once.
func (h *house) judgeDrains(live int) {
	for _, g := range h.guests {
		if g.gone || g.verb != "drain" {
			continue
		}
		want := []string{"waits"}
		switch {
		case h.over:
			want = []string{"granted", "stopped"}
		case live == 0:
			want = []string{"granted"}
		}
		if g.hurry {
			want = append(want, "given up")
		}
		g.told = g.outcome()
		if !slices.Contains(want, g.told) {
			h.fail("%s: Drain() %q while %d are live, want one of %q", g.name, g.told, live, want)
		}
		g.gone = g.told != "waits"
	}
}

// learn takes note of what has become of a guest, and judges that.
func (h *house) learn(g *guest, waiting int) {
	was := g.told
	g.told = g.outcome()
	if g.told != was {
		h.say("    %s: %s", g.name, g.told)
		h.seen["outcome: "+g.told] = true
	}
	if g.sane {
		h.judgeSane(g, was, waiting)
	} else {
		h.judgeWild(g, was)
	}
	switch g.told {
	case "waits":
	case "granted":
		g.holds, g.gone = true, g.verb == "narrow"
	default:
		g.holds, g.gone = false, true
	}
}

// judgeSane compares a sane guest with the rule.
func (h *house) judgeSane(g *guest, was string, waiting int) {
	want := g.fate // it was ended
	switch {
	case h.stopped.Load():
		if was == "granted" && g.told != was && g.told != want {
			h.fail("%s: %q when the manager stopped, want its grant to stay", g.name, g.told)
		}
		if h.over && was == "" && g.told != "stopped" {
			h.fail("%s: %q when the manager had stopped, want %q", g.name, g.told, "stopped")
		}
		return
	case want != "":
	case h.draining && was == "":
		want = "draining"
	case was == "":
		want = h.arrival(g, waiting)
	case h.model.Granted(g.name):
		want = "granted"
	default:
		want = "waits"
	}
	if g.told != want {
		h.fail("I2: %s: %q, want %q; it comes after %q, with which it conflicts", g.name, g.told, want, h.model.Blockers(g.name))
	}
	if was != "granted" && want == "granted" {
		h.checkToken(g)
	}
}

// arrival returns what has to become of a sane guest that has just arrived, where so many waited before.
func (h *house) arrival(g *guest, waiting int) string {
	refusal := "waits"
	switch granted := h.model.Submit(g.name, g.req); {
	case len(granted) > 0:
		return "granted"
	case g.verb == "try":
		refusal = "conflict"
	case h.maxWaiting >= 0 && waiting >= h.maxWaiting:
		refusal = "busy"
	default:
		return refusal
	}
	h.model.End(g.name)
	return refusal
}

// checkToken checks that a sane grant has a larger token than all earlier ones that it conflicts with (I7).
func (h *house) checkToken(g *guest) {
	if g.grant == (manager.Grant[being]{}) {
		return // in Do, or not received
	}
	now := holding{g.req, g.grant.Token()}
	for _, earlier := range h.granted {
		if earlier.token >= now.token && model.Conflict(earlier.req, now.req) {
			h.fail("I7: %s has the token %d, an earlier conflicting grant %d", g.name, now.token, earlier.token)
		}
	}
	h.granted = append(h.granted, now)
}

// judgeWild checks that what has become of a wild guest is its own doing.
func (h *house) judgeWild(g *guest, was string) {
	may := []string{"granted", "waits"}
	stopped := h.stopped.Load()
	switch atGate := h.gate.queue.Load() > 0; {
	case g.fate != "" && atGate:
		may = []string{g.fate, "waits"}
	case g.fate != "":
		may = []string{g.fate}
	case g.verb == "try" && !atGate:
		may = []string{"granted", "conflict"}
	case g.verb == "try":
		may = append(may, "conflict")
	case g.verb == "narrow":
		may = append(may, "not held")
	}
	if stopped {
		may = append(may, "stopped")
	}
	if h.draining {
		may = append(may, "draining")
	}
	if h.maxWaiting >= 0 {
		may = append(may, "busy")
	}
	if g.hurry {
		may = append(may, "given up", "withdrawn", g.late)
	}
	if was == "granted" {
		may = append(may, "done", "panics with mine", "exits")
	}
	if !slices.Contains(may, g.told) {
		h.fail("%s: %q, want one of %q", g.name, g.told, may)
	}
}
