package fuzz_test

import (
	"context"
	"errors"
	"runtime"
	"time"
)

// An oddContext is a context that does what no context should, or at least what few do.
type oddContext struct {
	context.Context
	done func() <-chan struct{} // nil for that of Context
	err  func() error           // nil for that of Context
}

func (c *oddContext) Done() <-chan struct{} {
	if c.done != nil {
		return c.done()
	}
	return c.Context.Done()
}

func (c *oddContext) Err() error {
	if c.err != nil {
		return c.err()
	}
	return c.Context.Err()
}

// errOdd is the error of a context that has one of its own.
var errOdd = errors.New("enough is enough")

// A mood is a kind of context. Its fate is as that of a breed; late is what becomes of a call that waits when
// such a context ends.
type mood struct {
	name, fate, late string
	odd              func(h *house, c *oddContext)
}

var moods = []mood{
	{"plain", "", "given up", nil},
	{"ended", "given up", "", nil},
	{"timed", "", "given up", nil},
	{"Done-panics", "panics with mine", "", func(_ *house, c *oddContext) {
		c.done = func() <-chan struct{} { panic("mine") }
	}},
	{"Done-exits", "exits", "", func(_ *house, c *oddContext) {
		c.done = func() <-chan struct{} { runtime.Goexit(); return nil }
	}},
	{"calls", "", "given up", func(h *house, c *oddContext) {
		c.done = func() <-chan struct{} { h.bother(); return c.Context.Done() }
		c.err = func() error { h.bother(); return c.Context.Err() }
	}},
	{"never", "", "", func(_ *house, c *oddContext) {
		c.done = func() <-chan struct{} { return nil }
		c.err = func() error { return nil }
	}},
	{"Err-panics", "panics with mine", "", func(_ *house, c *oddContext) {
		c.err = func() error { panic("mine") }
	}},
	{"Err-panics-late", "", "panics with mine", func(_ *house, c *oddContext) {
		c.err = func() error {
			if c.Context.Err() != nil {
				panic("mine")
			}
			return nil
		}
	}},
	{"liar", "", "given up", func(_ *house, c *oddContext) {
		c.err = func() error { return nil } // even when Done says that it has ended
	}},
	{"refuser", "given up", "", func(_ *house, c *oddContext) {
		c.err = func() error { return errOdd } // though it has not ended
	}},
}

// context returns a context of a mood, and the function that ends it.
func (h *house) context(m mood) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	switch m.name {
	case "ended":
		cancel()
	case "timed":
		cancel()
		ctx, cancel = context.WithTimeout(context.Background(), time.Second)
	}
	if m.odd == nil {
		return ctx, cancel
	}
	odd := &oddContext{Context: ctx}
	m.odd(h, odd)
	return odd, cancel
}
