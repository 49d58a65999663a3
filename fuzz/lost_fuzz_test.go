package fuzz_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
	"github.com/treelock/treelock/manager"
)

// FuzzLost plays requests inside requests, which are released, narrowed, withdrawn and revoked.
// After each step it compares what each holder is told with a naive model.
func FuzzLost(f *testing.F) {
	for _, seed := range lostSeeds {
		f.Add([]byte(seed))
	}
	f.Add(bytes.Repeat([]byte("\x02\x00\x01\x01"), 1<<12)) // more than is played
	f.Fuzz(func(t *testing.T, data []byte) {
		synctest.Test(t, func(t *testing.T) { playLost(t, data) })
	})
}

func TestHoldersAreToldWhatTheModelSays(t *testing.T) {
	randomHistories(t, 5, func(data []byte) {
		synctest.Test(t, func(t *testing.T) { playLost(t, data) })
	})
}

// lostSeeds are histories that random bytes seldom are. Four bytes are a step: see lostWorld.step.
var lostSeeds = []string{
	// A submitted request is revoked, and then withdrawn.
	"\x00\x00\x00\x03" + "\x06\x00\x00\x00" + "\x07\x00\x00\x00",
	// A grant is revoked, and then released.
	"\x02\x00\x00\x03" + "\x06\x00\x00\x00" + "\x05\x00\x00\x00",
	// A holder asks whether it is lost, and the manager stops.
	"\x02\x00\x00\x03" + "\x08\x00\x00\x00",
	// Inside a grant, which is revoked, one request holds and one waits.
	"\x02\x00\x00\x03" + "\x03\x00\x00\x03" + "\x03\x01\x00\x03" + "\x06\x02\x00\x00",
	// A grant is released, lives on for one inside it, and is revoked.
	"\x02\x00\x00\x03" + "\x03\x00\x00\x03" + "\x05\x01\x00\x00" + "\x06\x01\x00\x00",
	// A reader of / waits for a writer, and not for another reader, which asks.
	"\x02\x00\x01\x03" + "\x09\x00\x00\x01" + "\x02\x00\x14\x03" + "\x02\x00\x11\x03",
}

type (
	pathRequest = treelock.Request[treelock.Path]
	pathGrant   = treelock.Grant[treelock.Path]
)

// A party is a request and what the model says of it.
type party struct {
	number uint64
	req    pathRequest
	in     *party // the grant that it is inside, or nil
	state  standing
	held   bool  // at some time
	why    error // why it is over, or released

	grant  pathGrant
	ticket *manager.Ticket[treelock.Path] // of a client that has not received its grant
	told   chan error
	cancel func()

	lost, wanted         <-chan struct{} // nil until asked
	toldLost, toldWanted bool            // what the model says of them
}

type standing uint8

const (
	waits    standing = iota
	holds             // or its grant is in the channel of its ticket
	released          // and live for grants inside it
	over
)

// lostWorld is a manager and the model of it.
type lostWorld struct {
	t       *testing.T
	m       *manager.Manager[treelock.Path]
	parties []*party // by number
	last    uint64   // the latest number
	script  []string // for failures
}

// maxLostSteps bounds a history: later bytes are ignored. The model takes time that grows with the
// square of the steps, and the fuzz engine stops an input that takes ten seconds.
const maxLostSteps = 128

func playLost(t *testing.T, data []byte) {
	data = data[:min(len(data), 4*maxLostSteps)]
	ctx, stop := context.WithCancelCause(t.Context())
	w := &lostWorld{t: t, m: manager.Start(ctx)}
	for ; len(data) >= 4 && !t.Failed(); data = data[4:] {
		w.step(data[0], data[1], data[2], data[3])
		w.check()
	}
	cause := errors.New("stop")
	stop(cause)
	<-w.m.Done()
	synctest.Wait() // for the clients that are told so
	for _, p := range w.parties {
		if p.state == waits {
			p.state, p.why = over, treelock.ErrStopped
		} else if p.state == holds {
			p.state, p.why, p.toldLost = over, cause, p.lost != nil
		}
		if p.ticket == nil && p.grant != (pathGrant{}) {
			p.why = cause // a stopped manager does not know who released
		}
	}
	w.check()
}

// step does one of the things that clients do.
func (w *lostWorld) step(op, whom, what, more byte) {
	var p *party
	if len(w.parties) > 0 {
		p = w.parties[len(w.parties)-1-int(whom)%min(len(w.parties), 8)] // one of the latest
	}
	switch op %= 11; {
	case p == nil, op < 3:
		w.enter(nil, lostRequest(what, more), op)
	case op < 5:
		w.enter(p, lostRequest(what, more), op)
	case op == 5:
		w.release(p)
	case op == 6:
		w.revoke(p)
	case op == 7 && more%2 == 0:
		w.withdraw(p)
	case op == 7:
		w.narrow(p, lostRequest(what, more>>1))
	case op == 10:
		w.widen(p, lostRequest(what, more))
	case op == 8 && p.ticket != nil:
		w.note("receive %d", p.number)
		go receiveFrom(p, p.ticket)
		p.ticket = nil
	default:
		w.ask(p, more)
	}
	w.settle()
}

// lostRequest returns a request in a small tree.
func lostRequest(what, more byte) (req pathRequest) {
	paths := []treelock.Path{"/a", "/a/b", "/a/b/c", "/a/d", "/", "/e"}
	for _, b := range []byte{what, more} {
		switch p := paths[int(b>>2)%len(paths)]; b % 4 {
		case 0:
			req = req.Write(p)
		case 1:
			req = req.Read(p)
		case 2:
			req = req.WriteNode(p)
		}
	}
	return req
}

func (w *lostWorld) note(format string, args ...any) {
	w.script = append(w.script, fmt.Sprintf(format, args...))
}

// enter makes a request inside a grant, or on the manager.
func (w *lostWorld) enter(in *party, req pathRequest, op byte) {
	ctx, cancel := context.WithCancel(w.t.Context())
	p := &party{req: req, in: in, told: make(chan error, 1), cancel: cancel}
	w.note("enter %d: %v", w.last+1, req)
	if in == nil && op < 2 {
		ticket, err := w.m.Submit(ctx, req)
		if err != nil {
			w.t.Fatal(err)
		}
		w.last++
		p.number, p.ticket = w.last, ticket
		w.parties = append(w.parties, p)
		return
	}
	var locker treelock.Locker[treelock.Path] = w.m
	if in != nil {
		w.note("inside %d", in.number)
		if in.ticket != nil || in.grant == (pathGrant{}) {
			cancel()
			return // its client has no grant
		}
		locker = in.grant
	}
	go func() {
		g, err := locker.Acquire(ctx, req)
		p.grant = g
		p.told <- err
	}()
	synctest.Wait()
	if in != nil && in.state != holds || in != nil && !model.Inside(req, in.req) {
		want := treelock.ErrNotHeld
		if in.state != holds {
			want = in.why
		}
		if err := <-p.told; !errors.Is(err, want) {
			w.t.Errorf("%v\na request inside %d: %v, want %v", w.script, in.number, err, want)
		}
		cancel()
		return
	}
	w.last++
	p.number = w.last
	w.parties = append(w.parties, p)
}

func receiveFrom(p *party, ticket *manager.Ticket[treelock.Path]) {
	g, ok := <-ticket.Granted()
	p.grant = g
	if ok {
		p.told <- nil
	} else {
		p.told <- ticket.Err()
	}
}

func (w *lostWorld) release(p *party) {
	if p.ticket != nil || p.grant == (pathGrant{}) {
		return
	}
	w.note("release %d", p.number)
	p.grant.Release()
	if p.state == holds {
		p.state = released
		for _, sub := range w.parties {
			if sub.in == p && sub.state == waits {
				sub.state, sub.why = over, treelock.ErrReleased
			}
		}
	}
	p.why = treelock.ErrReleased
}

func (w *lostWorld) revoke(p *party) {
	w.note("revoke %d", p.number)
	cause := fmt.Errorf("recalled with %d", p.number)
	err := w.m.Revoke(w.t.Context(), p.number, cause)
	if live := p.state != over; live != (err == nil) || err != nil && !errors.Is(err, treelock.ErrNotHeld) {
		w.t.Errorf("%v\nRevoke(%d) = %v, and it is live: %t", w.script, p.number, err, live)
	}
	w.lose(p, cause)
}

// lose is a revocation in the model.
func (w *lostWorld) lose(p *party, cause error) {
	if p.state == over {
		return
	}
	for _, sub := range w.parties {
		if sub.in == p {
			w.lose(sub, cause)
		}
	}
	if p.state != released {
		p.why, p.toldLost = cause, p.lost != nil
	}
	p.state = over
}

// withdraw gives up a request that waits, or whose grant was not received.
func (w *lostWorld) withdraw(p *party) {
	w.note("withdraw %d", p.number)
	p.cancel()
	if p.ticket != nil {
		p.ticket.Withdraw()
		p.ticket.Withdraw()
		if g, ok := <-p.ticket.Granted(); ok {
			w.t.Errorf("%v\na withdrawn ticket delivers %v", w.script, g)
		}
		if p.state != over {
			p.state, p.why = over, treelock.ErrWithdrawn
		}
		p.ticket, p.told = nil, nil // Withdraw has told its client
	} else if synctest.Wait(); p.state == waits && len(p.told) > 0 { // it was an Acquire
		p.state, p.why = over, treelock.ErrGaveUp
	}
}

func (w *lostWorld) narrow(p *party, req pathRequest) {
	if p.ticket != nil || p.grant == (pathGrant{}) {
		return
	}
	w.note("narrow %d to %v", p.number, req)
	can := p.state == holds && model.Inside(req, p.req)
	for _, sub := range w.parties {
		can = can && (sub.in != p || sub.state == over || model.Inside(sub.req, req))
	}
	if err := p.grant.Narrow(req); can != (err == nil) || err != nil && !errors.Is(err, treelock.ErrNotHeld) {
		w.t.Errorf("%v\nNarrow() of %d = %v, want success %t", w.script, p.number, err, can)
	}
	if can {
		p.req = req
	}
}

// widen tries to widen a grant. The model takes over the result: other targets know when it must
// succeed.
func (w *lostWorld) widen(p *party, req pathRequest) {
	if p.ticket != nil || p.grant == (pathGrant{}) {
		return
	}
	w.note("widen %d by %v", p.number, req)
	last := w.m.Stats().Conflicts
	_, err := p.grant.TryWiden(w.t.Context(), req)
	switch {
	case p.state == holds && err == nil:
		if !model.Inside(req, p.req) {
			w.last++
		}
		p.req = model.Of(slices.Concat(slices.Collect(p.req.Claims()), slices.Collect(req.Claims()))...)
	case p.state == holds:
		w.last += w.m.Stats().Conflicts - last
	case !errors.Is(err, p.why):
		w.t.Errorf("%v\nTryWiden() of %d = %v, want %v", w.script, p.number, err, p.why)
	}
}

// ask asks for the signals of a grant.
func (w *lostWorld) ask(p *party, which byte) {
	if p.ticket != nil || p.grant == (pathGrant{}) || p.state != holds {
		return
	}
	w.note("ask %d", p.number)
	if which%2 == 0 {
		p.lost = p.grant.Lost()
	} else {
		p.wanted = p.grant.Wanted()
	}
}

// settle applies the rule, and finds the grants that are waited for.
func (w *lostWorld) settle() {
	for changed := true; changed; {
		changed = false
		for _, p := range w.parties {
			if p.state == waits && !w.exists(p.in, func(q *party) bool {
				return q.number < p.number && model.Conflict(q.req, p.req)
			}) {
				p.state, p.held, changed = holds, true, true
			}
			if p.state == released && !w.exists(p, func(*party) bool { return true }) {
				p.state, changed = over, true
			}
		}
	}
	for _, p := range w.parties {
		for a := p; a != nil && p.state == holds && p.wanted != nil; a = a.in {
			p.toldWanted = p.toldWanted || w.exists(a.in, func(q *party) bool {
				return q.state == waits && model.Conflict(q.req, a.req)
			})
		}
	}
}

// exists reports whether a live request inside in is as it should be.
func (w *lostWorld) exists(in *party, is func(*party) bool) bool {
	for _, p := range w.parties {
		if p.in == in && p.state != over && is(p) {
			return true
		}
	}
	return false
}

// check compares what the clients are told with the model.
func (w *lostWorld) check() {
	synctest.Wait()
	for _, p := range w.parties {
		if p.ticket != nil {
			continue
		}
		select {
		case err := <-p.told:
			p.told = nil
			if p.held != (err == nil) || err != nil && (p.state != over || !errors.Is(err, p.why)) {
				w.t.Errorf("%v\n%d is told %v in state %d, want %v", w.script, p.number, err, p.state, p.why)
			}
		default:
			if p.told != nil && p.state != waits {
				w.t.Errorf("%v\n%d is told nothing in state %d", w.script, p.number, p.state)
			}
		}
		if p.grant == (pathGrant{}) {
			continue
		}
		if err := p.grant.Err(); (p.state == holds) != (err == nil) || err != nil && !errors.Is(err, p.why) {
			w.t.Errorf("%v\nErr() of %d = %v in state %d, want %v", w.script, p.number, err, p.state, p.why)
		}
		if got := []bool{closed(p.lost), closed(p.wanted)}; got[0] != p.toldLost || got[1] != p.toldWanted {
			w.t.Errorf("%v\n%d is told that it is lost and wanted: %t, want %t, %t", w.script, p.number, got, p.toldLost, p.toldWanted)
		}
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
