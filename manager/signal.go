package manager

import (
	"slices"

	"github.com/treelock/treelock"
)

// A signal is what a client has asked to be told about a grant, once. It is kept in the extra of
// the grant, so other grants cost nothing. The manager goroutine owns it.
type signal struct {
	// c is from the manager goroutine to the clients that asked. Nothing is sent on it. The manager
	// goroutine closes it to give the signal: to all clients that have it, without waiting for one.
	// It is nil until a client asks, and stays open if the grant ends first.
	c chan struct{}

	// at is the index of the grant in loop.asked, while the signal is not given. With it drop takes
	// O(1).
	at int
}

// The signals of a grant.
const (
	lostSignal = iota
	wantedSignal
	numSignals
)

// closed is the channel for a signal that was given before a client asked.
var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// ask returns the channel of a signal of a grant that is held. All clients that ask get the same
// channel.
func (l *loop[N]) ask(r *request[N], kind int) <-chan struct{} {
	x := l.extraOf(r)
	if x.signals == nil {
		x.signals = new([numSignals]signal)
	}
	s := &x.signals[kind]
	if s.c == nil {
		*s = signal{make(chan struct{}), len(l.asked[kind])}
		l.asked[kind] = append(l.asked[kind], r)
	}
	return s.c
}

// give gives a signal, if a client has asked for it and it was not given before. A grant whose
// signal was given is in no list, so later steps cost nothing for it.
func (l *loop[N]) give(r *request[N], kind int) {
	if l.drop(r, kind) {
		close(r.Who.extra.signals[kind].c)
	}
}

// dropSignals gives up the signals of a grant that is no longer held. They are never given.
//
// The index of a dropped signal soon is that of another grant, so no signal is dropped twice. The
// grant forgets its signals here, and lose ends the grant.
func (l *loop[N]) dropSignals(r *request[N]) {
	for kind := range numSignals {
		l.drop(r, kind)
	}
	r.Who.extra.signals = nil
}

// drop removes r from the list of the grants whose signal may be given. It returns false if r was
// not there.
func (l *loop[N]) drop(r *request[N], kind int) bool {
	x := r.Who.extra
	if x == nil || x.signals == nil || x.signals[kind].c == nil || isClosed(x.signals[kind].c) {
		return false
	}
	// The last grant takes the place of r, so its index changes. r itself may be the last.
	list, at := l.asked[kind], x.signals[kind].at
	last := len(list) - 1
	list[at] = list[last]
	list[at].Who.extra.signals[kind].at = at
	list[last] = nil
	l.asked[kind] = list[:last]
	if cap(list) > 4*max(last, maxKeptAsked) {
		l.asked[kind] = slices.Clone(list[:last]) // it has been much larger
	}
	return true
}

// maxKeptAsked is the length of a list of grants up to which its storage is kept.
const maxKeptAsked = 1024

// A signalAsker is the inspector that asks for a signal of a grant.
type signalAsker[N treelock.Node[N]] struct {
	of   treelock.Hold
	kind int
	c    <-chan struct{} // nil if the grant was released
}

// askFor asks for a signal of the grant that h names. ok is false if the manager has stopped.
func (e *engine[N]) askFor(h treelock.Hold, kind int) (c <-chan struct{}, ok bool) {
	a := signalAsker[N]{of: h, kind: kind}
	ok = e.manager().inspect(&a)
	return a.c, ok
}

// inspect asks for the signal. What has happened before is told at once: requests may wait for the
// grant already, or it may be lost. A grant that was released gives no signal, so c stays nil,
// which is never ready.
func (a *signalAsker[N]) inspect(l *loop[N]) {
	if r := requestOf[N](a.of.Ref); l.overErr(r, a.of.Number) == nil {
		a.c = l.ask(r, a.kind)
		if a.kind == wantedSignal && l.waitedFor(r, nil) {
			l.give(r, wantedSignal)
		}
	} else if a.kind == lostSignal && l.revoked.why(a.of.Number) != nil {
		a.c = closed
	}
}
