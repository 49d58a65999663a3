package manager

import (
	"container/list"

	"github.com/treelock/treelock"
)

// maxRevocations is how many revocations of grants are remembered, with their causes.
const maxRevocations = 4096

// Lost is [treelock.Grant.Lost]. Once the manager has stopped, no goroutine is there to be asked,
// and each of its grants is lost.
func (e *engine[N]) Lost(h treelock.Hold) <-chan struct{} {
	if c, ok := e.askFor(h, lostSignal); ok {
		return c
	}
	return closed
}

// Err is [treelock.Grant.Err]. Of the revocations that no holder has released since, the latest
// 4,096 are remembered.
func (e *engine[N]) Err(h treelock.Hold) error {
	m := e.manager()
	asks := overAsker[N]{of: h}
	if m.inspect(&asks) {
		return asks.err
	}
	return lostErr(m.stoppedErr())
}

// lostErr returns an error that is ErrLost and wraps cause. It calls no method of cause, which may
// be the user's, so it may run on the manager goroutine.
func lostErr(cause error) error { return &endError{[]error{treelock.ErrLost, cause}} }

// An overAsker is the inspector that finds out why a grant is over.
type overAsker[N treelock.Node[N]] struct {
	of  treelock.Hold
	err error
}

func (a *overAsker[N]) inspect(l *loop[N]) { a.err = l.overErr(requestOf[N](a.of.Ref), a.of.Number) }

// loseAll tells the grants that asked that the manager has stopped. It closes the channels and
// changes no list: no message is handled any more. Wanted channels stay open: no request waits for
// a grant any more.
func (l *loop[N]) loseAll() {
	for _, r := range l.asked[lostSignal] {
		close(r.Who.extra.signals[lostSignal].c)
	}
}

// revocations has the reasons of the latest revocations, so that the holders learn them. A holder
// that never releases a lost grant must not cost memory without bound, so only maxRevocations are
// kept. The zero value is empty.
type revocations struct {
	byNumber map[uint64]*list.Element // of the lost grants
	order    list.List                // of revocation values, the latest last
}

// A revocation is why the grant with a number was lost. The number is that of a request, and never
// reused, so it names the grant also when its storage has another request.
type revocation struct {
	number uint64
	err    error
}

// add remembers why the grant with that number was lost.
func (r *revocations) add(number uint64, err error) {
	if r.byNumber == nil {
		r.byNumber = make(map[uint64]*list.Element)
	}
	r.byNumber[number] = r.order.PushBack(revocation{number, err})
	// The earliest revocation goes: its holder has had the most time to ask.
	if r.order.Len() > maxRevocations {
		r.forget(r.order.Front().Value.(revocation).number)
	}
}

// forget forgets the grant with that number, if it is known. A holder that releases its grant has
// no more need of the reason.
func (r *revocations) forget(number uint64) {
	if e := r.byNumber[number]; e != nil {
		r.order.Remove(e)
		delete(r.byNumber, number)
	}
}

// why returns why the grant with that number was lost, or nil if it was not, or is forgotten.
func (r *revocations) why(number uint64) error {
	if e := r.byNumber[number]; e != nil {
		return e.Value.(revocation).err
	}
	return nil
}
