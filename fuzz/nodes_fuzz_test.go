package fuzz_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// FuzzNodes lets guests of all kinds loose on a manager. Every string of bytes is a history: see play.
func FuzzNodes(f *testing.F) {
	for _, seed := range houseSeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, history []byte) {
		synctest.Test(t, func(t *testing.T) { playHouse(t, history) })
	})
}

const (
	maxCommands = 60 // keeps histories short enough to be read
	maxClaims   = 4  // of one request
)

// A bytesource reads a history; beyond its end all bytes are zero.
type bytesource []byte

// below returns the next byte, as a number below n.
func (s *bytesource) below(n int) int {
	if len(*s) == 0 {
		return 0
	}
	b := int((*s)[0])
	*s = (*s)[1:]
	return b % n
}

// playHouse plays a history and returns what it had.
func playHouse(t *testing.T, history []byte) (seen map[string]bool) {
	src := bytesource(history)
	h := newHouse(t, []int{6, 9}[src.below(2)], []int{-1, -1, 0, 1, 3}[src.below(5)], []int{-1, 0, 1}[src.below(3)])
	for i, left := 0, maxCommands; left > 0 && len(src) > 0; i++ {
		h.play(&src, i)
		if left--; h.stopped.Load() {
			left = min(left, 5) // there is not much more to be seen
		}
	}
	h.strike()
	return h.seen
}

// play reads one command and does it. The bubble is brought to rest after it, but sometimes not after those of the
// wild, so that these meet.
func (h *house) play(src *bytesource, i int) {
	rush := false
	switch command := src.below(16); command {
	case 0, 1, 2, 3, 4:
		h.askSane(src, fmt.Sprint("s", i))
	case 5, 6, 7, 8:
		h.askWild(src, fmt.Sprint("w", i))
		rush = command == 8 && h.maxWaiting < 0
	case 9, 10, 11:
		if g := h.pick(src, func(g *guest) bool { return !g.gone }); g != nil {
			h.seen["end"] = true
			h.say("%s: end", g.name)
			h.end(g)
		}
	case 12:
		h.narrowSane(src)
	case 13:
		h.narrowWild(src, fmt.Sprint("n", i))
	case 14:
		h.again(src)
	default:
		h.happen([]string{"open", "open", "open", "move", "move", "move", "time", "time", "drain", "stop"}[src.below(10)])
	}
	if !rush {
		h.settle()
	}
}

// happen is what happens to all.
func (h *house) happen(what string) {
	h.seen[what] = true
	h.say("%s", what)
	switch what {
	case "open":
		h.gate.letAll()
	case "move":
		h.home.Add(1)
	case "time":
		for _, g := range h.guests {
			g.hurry = g.hurry || g.timed
		}
		time.Sleep(time.Second)
	case "drain":
		h.draining = true
		g := h.admit(&guest{name: fmt.Sprint("d", len(h.guests)), verb: "drain"})
		g.ctx, g.cancel = context.WithCancel(context.Background())
		go g.call(h.m)
	case "stop":
		h.endManager()
	}
}

// pick returns one of the guests of some kind, nil if there is none.
func (h *house) pick(src *bytesource, kind func(*guest) bool) *guest {
	choice := src.below(256)
	var some []*guest
	for _, g := range h.guests {
		if g.told != "" && kind(g) { // not one that has rushed in
			some = append(some, g)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return some[choice%len(some)]
}

// withClaim adds a claim of node to req.
func withClaim(req treelock.Request[being], kind int, node being) treelock.Request[being] {
	return []func(...being) treelock.Request[being]{req.Read, req.Write, req.ReadNode, req.WriteNode}[kind](node)
}

func (h *house) askSane(src *bytesource, name string) {
	g := &guest{name: name, sane: true, verb: guestVerbs[src.below(len(guestVerbs))], late: "given up"}
	for range []int{0, 1, 1, 1, 2, 2, 2, 3}[src.below(8)] {
		g.req = withClaim(g.req, src.below(4), saneWorld[src.below(len(saneWorld))])
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	h.say("%s: %s %v", name, g.verb, g.req)
	go h.admit(g).call(h.m)
}

func (h *house) askWild(src *bytesource, name string) {
	g := &guest{name: name, verb: guestVerbs[src.below(len(guestVerbs))]}
	words := h.claimWild(src, g)
	mood := moods[max(0, src.below(2*len(moods))-len(moods))]
	g.ctx, g.cancel = h.context(mood)
	g.late, g.timed = mood.late, mood.name == "timed"
	if g.verb != "try" && g.fate == "" {
		g.fate = mood.fate
	}
	h.seen["mood: "+mood.name] = true
	h.say("%s: %s %s (context: %s)", name, g.verb, words, mood.name)
	go h.admit(g).call(h.m)
}

// claimWild adds up to maxClaims claims of wild beings to the request of g, and their fate to its fate: that of the first
// that has one, as they are asked in order.
func (h *house) claimWild(src *bytesource, g *guest) (words string) {
	var all []string
	for range src.below(maxClaims + 1) {
		kind, i, above := src.below(4), src.below(4*len(breeds)), src.below(3)
		b := breeds[i%len(breeds)]
		if i >= len(breeds) && b.fate != "" || b.name == "stopper" && i != 4*len(breeds)-1 {
			b = breeds[0] // else most requests would fail, and most histories be short
		}
		g.req = withClaim(g.req, kind, h.being(b, above))
		if g.fate == "" {
			g.fate = b.fate
		}
		h.seen["breed: "+b.name] = true
		all = append(all, fmt.Sprintf("%s %s+%d", []string{"read", "write", "read-node", "write-node"}[kind], b.name, above))
	}
	return strings.Join(all, ", ")
}

// narrowSane narrows a sane grant to what lies inside it, most often.
func (h *house) narrowSane(src *bytesource) {
	g := h.pick(src, func(g *guest) bool { return g.sane && g.holds && g.grant != manager.Grant[being]{} })
	if g == nil {
		return
	}
	var req treelock.Request[being]
	claims := slices.Collect(h.model.Request(g.name).Claims())
	for range src.below(3) {
		kind, node := src.below(4), saneWorld[src.below(len(saneWorld))]
		if i := src.below(4); i < len(claims) {
			node = claims[i].Node
		}
		req = withClaim(req, kind, node)
	}
	h.seen["sane narrow"] = true
	want := "not held"
	if h.stopped.Load() {
		want = "stopped"
	} else if _, ok := h.model.Narrow(g.name, req); ok {
		want = "granted"
	}
	got := errorWord(g.grant.Narrow(req))
	h.say("%s: narrow to %v: %s", g.name, req, got)
	if got != want && (got != "stopped" || !h.stopped.Load()) { // which a wild guest may have seen to just now
		h.fail("%s: Narrow(%v) = %q, want %q", g.name, req, got, want)
	}
}

// narrowWild narrows a wild grant, on a goroutine of its own: who knows how long that takes.
func (h *house) narrowWild(src *bytesource, name string) {
	held := h.pick(src, func(g *guest) bool { return !g.sane && g.holds && g.grant != manager.Grant[being]{} })
	if held == nil {
		return
	}
	g := &guest{name: name, verb: "narrow", of: held.grant, cancel: func() {}}
	if src.below(3) == 0 {
		g.req = held.req
	}
	h.say("%s: narrow %s to %s", name, held.name, h.claimWild(src, g))
	go h.admit(g).call(h.m)
}
