package locktest

import (
	"context"
	"errors"
	"runtime"
	"time"
)

// An oddCtx is a context that misbehaves.
type oddCtx struct {
	context.Context
	done func() <-chan struct{} // nil for that of Context
	err  func() error           // nil for that of Context
}

func (c *oddCtx) Done() <-chan struct{} {
	if c.done != nil {
		return c.done()
	}
	return c.Context.Done()
}

func (c *oddCtx) Err() error {
	if c.err != nil {
		return c.err()
	}
	return c.Context.Err()
}

// errOdd is the error of a context that has one of its own.
var errOdd = errors.New("an error of the context's own")

// shortTime is when a context ends that is bounded by time.
const shortTime = 10 * time.Millisecond

// A ctxKind is a kind of context. want is the outcome of a call with it, nil if it does no harm.
// onCancel is what a call may be told when such a context ends, besides an error of a context.
type ctxKind struct {
	name           string
	want, onCancel error
	odd            func(x *hostility, c *oddCtx)
}

var ctxKinds = []ctxKind{
	{"plain", nil, nil, nil},
	{"ended", context.Canceled, nil, nil},
	{"timed", nil, nil, nil},
	{"Done-panics", errPanic, nil, func(_ *hostility, c *oddCtx) {
		c.done = func() <-chan struct{} { panic(errPanic.value) }
	}},
	{"Done-exits", errExit, nil, func(_ *hostility, c *oddCtx) {
		c.done = func() <-chan struct{} { runtime.Goexit(); return nil }
	}},
	{"calls", nil, nil, func(x *hostility, c *oddCtx) {
		c.done = func() <-chan struct{} { x.reenter(); return c.Context.Done() }
		c.err = func() error { x.reenter(); return c.Context.Err() }
	}},
	{"never", nil, nil, func(_ *hostility, c *oddCtx) {
		c.done = func() <-chan struct{} { return nil }
		c.err = func() error { return nil }
	}},
	{"Err-panics", errPanic, nil, func(_ *hostility, c *oddCtx) {
		c.err = func() error { panic(errPanic.value) }
	}},
	{"Err-panics-late", nil, errPanic, func(_ *hostility, c *oddCtx) {
		c.err = func() error {
			if c.Context.Err() != nil {
				panic(errPanic.value)
			}
			return nil
		}
	}},
	{"liar", nil, nil, func(_ *hostility, c *oddCtx) {
		c.err = func() error { return nil } // also when Done says that it has ended
	}},
	{"refuser", context.Canceled, nil, func(_ *hostility, c *oddCtx) {
		c.err = func() error { return errOdd } // though it has not ended
	}},
}

// CtxKinds returns the names of the kinds of hostile contexts.
func CtxKinds() (names []string) {
	for _, kind := range ctxKinds {
		names = append(names, kind.name)
	}
	return names
}
