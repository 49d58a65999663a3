package locktest_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/fuzz/locktest"
	"github.com/treelock/treelock/internal/model"
)

type request = treelock.Request[treelock.Path]

// A naive lock is the rule itself, evaluated over all pairs on the goroutine that has the token of
// a channel. A fault makes it break one promise.
type naive struct {
	fault fault
	token chan struct{} // room for one; its sender owns the other fields
	model model.Model[treelock.Path]
	wake  map[string]chan struct{} // of waiting requests, by name
	last  int
}

type fault string

// The faults of naive locks.
const (
	sound     fault = ""
	excludes  fault = "grants everything"
	global    fault = "grants one request at a time"
	overtakes fault = "grants what does not conflict with a holder"
	forgets   fault = "wakes no waiter at a release"
	leaks     fault = "goes on waiting after the end of the context"
	lies      fault = "grants after the end of the context, with an error"
	refuses   fault = "refuses a request that would have to wait"
	forgives  fault = "reports a timeout as a cancellation"
)

func (f fault) start(_ context.Context, o locktest.Options) (lock locktest.Lock[treelock.Path], err error) {
	if o != (locktest.Options{}) {
		return lock, fmt.Errorf("options: %w", errors.ErrUnsupported)
	}
	l := &naive{fault: f, token: make(chan struct{}, 1), wake: map[string]chan struct{}{}}
	return locktest.Lock[treelock.Path]{Acquire: l.acquire}, nil
}

func (l *naive) acquire(ctx context.Context, req request) (locktest.Grant, error) {
	if ctx.Err() != nil {
		return nil, l.ended(ctx)
	}
	name, woken := l.arrive(req)
	if l.fault == refuses && !isClosed(woken) {
		l.end(name)
		return nil, treelock.ErrConflict
	}
	select {
	case <-woken:
		return naiveGrant{l, name}, nil
	case <-ctx.Done():
	}
	if l.fault != leaks {
		l.end(name)
	}
	if l.fault == lies {
		return naiveGrant{l, name}, l.ended(ctx)
	}
	return nil, l.ended(ctx)
}

// ended returns the error for a context that has ended.
func (l *naive) ended(ctx context.Context) error {
	if l.fault == forgives {
		return context.Canceled
	}
	return fmt.Errorf("%w: %w", ctx.Err(), context.Cause(ctx))
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// arrive puts a request in the model and returns its name, and what is closed when it is granted.
func (l *naive) arrive(req request) (name string, woken chan struct{}) {
	l.token <- struct{}{}
	defer func() { <-l.token }()
	l.last++
	name, woken = fmt.Sprint(l.last), make(chan struct{})
	switch {
	case l.fault == excludes:
		req = request{}
	case l.fault == global:
		req = treelock.Write("/")
	case l.fault == overtakes && !l.conflicts(req):
		close(woken)
		return name, woken
	}
	l.wake[name] = woken
	l.grant(l.model.Submit(name, req))
	return name, woken
}

// conflicts reports whether req conflicts with what is held.
func (l *naive) conflicts(req request) bool {
	for _, name := range l.model.Live() {
		if l.model.Granted(name) && model.Conflict(l.model.Request(name), req) {
			return true
		}
	}
	return false
}

func (l *naive) end(name string) {
	l.token <- struct{}{}
	defer func() { <-l.token }()
	granted := l.model.End(name)
	if l.fault != forgets {
		l.grant(granted)
	}
}

func (l *naive) grant(names []string) {
	for _, name := range names {
		close(l.wake[name])
		delete(l.wake, name)
	}
}

type naiveGrant struct {
	lock *naive
	name string
}

func (g naiveGrant) Release() { g.lock.end(g.name) }
