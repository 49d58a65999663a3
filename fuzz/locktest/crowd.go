package locktest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// crowd prepares the visit of many others, who ask for nothing and release it, all at once, every other one with a
// context that ends meanwhile. They fill the inbox of a lock that has one. Nobody waits for them, nor they for
// anybody, so they leave no trace but one: what they ask for is live for a while, and a lock that is stopped
// meanwhile was not drained.
func (s *stage) crowd(number string, _ []string) *act {
	n, err := strconv.Atoi(number)
	if err != nil {
		s.t.Fatalf("crowd %s: %v", number, err)
	}
	lock, told, seen := s.lock, make(chan error, n), map[string]error{}
	patient := s.t.Context()
	hasty, giveUp := context.WithCancel(patient)
	visit := func() {
		defer giveUp()
		for i := range n {
			ctx := &lazy{Context: patient}
			if i%2 == 0 {
				ctx.Context = hasty
			}
			go func() {
				if i == n-2 { // it comes late, when many others wait for room in the inbox
					giveUp()
				}
				told <- visit(ctx, lock)
			}()
		}
		for range n {
			if err := <-told; err != nil {
				seen[err.Error()] = err
			}
		}
	}
	return &act{do: visit, tell: func() (steps []model.Step[path]) {
		for text, err := range seen {
			s.say("crowd", text)
			steps = append(steps, func(w *world, then func(*world)) {
				if errors.Is(err, w.Closed()) {
					then(w)
				}
			})
		}
		return append(steps, visitorArrives, visitorLeaves)
	}}
}

// visitor is the name of those of a crowd who are live. One stands for all: more would make no difference.
const visitor = "visitor"

func visitorArrives(w *world, then func(*world)) {
	if w.Closed() == nil {
		w.Arrive(visitor, request{})
	}
	then(w)
}

func visitorLeaves(w *world, then func(*world)) {
	switch {
	case slices.Contains(w.Live(), visitor):
		w.Leave(visitor)
		then(w)
	case w.Closed() != nil: // it was refused
		then(w)
	}
}

// A lazy context lets others run when it is asked for its channel once more. A lock that asks in the middle of something, say
// after it has seen that it still runs and before it asks for a grant, has been stopped at times when it goes on. It is for
// one goroutine.
type lazy struct {
	context.Context
	asked int
}

func (l *lazy) Done() <-chan struct{} {
	if l.asked++; l.asked > 1 {
		for range 10 {
			runtime.Gosched()
		}
	}
	return l.Context.Done()
}

// visit asks for nothing and releases it. It returns why it was refused, nil if it was not, or could not wait.
func visit(ctx context.Context, lock Lock) error {
	g, err := lock.Acquire(ctx, request{})
	switch {
	case err == nil:
		g.Release()
		return nil
	case g != nil:
		return fmt.Errorf("a visitor was told %w, and has a grant", err)
	case errors.Is(err, treelock.ErrStopped):
		return treelock.ErrStopped
	case errors.Is(err, treelock.ErrDraining):
		return treelock.ErrDraining
	case ctx.Err() != nil && isContextError(err):
		return nil
	}
	return fmt.Errorf("a visitor was refused: %w", err)
}
