package manager

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
)

// A stuckContext blocks in Err once it has ended.
type stuckContext struct {
	context.Context
	done, free chan struct{}
}

func (c stuckContext) Done() <-chan struct{} { return c.done }

func (c stuckContext) Err() error {
	select {
	case <-c.done:
		<-c.free
		return context.Canceled
	default:
		return nil
	}
}

// TestContextsThatBlockStopNoOtherCancellation has more such contexts than there are tokens for
// cancellations.
func TestContextsThatBlockStopNoOtherCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := Start(t.Context())
		if _, err := m.TryAcquire(t.Context(), treelock.Write("/a")); err != nil {
			t.Fatal(err)
		}
		hostile := stuckContext{t.Context(), make(chan struct{}), make(chan struct{})}
		const many = 100
		failed := make(chan error, many)
		for range many {
			go func() {
				_, err := m.Acquire(hostile, treelock.Write("/a"))
				failed <- err
			}()
		}
		ctx, cancel := context.WithCancel(t.Context())
		other := make(chan error, 1)
		go func() {
			_, err := m.Acquire(ctx, treelock.Write("/a"))
			other <- err
		}()
		synctest.Wait()
		close(hostile.done)
		synctest.Wait()
		cancel()
		synctest.Wait()
		select {
		case err := <-other:
			if err == nil {
				t.Error("Acquire() = nil under a context that has ended, want its error")
			}
		default:
			t.Error("Acquire() has not returned after its context ended, beside contexts that block")
		}
		close(hostile.free)
		for range many {
			if err := <-failed; err == nil {
				t.Error("Acquire() = nil under a context that has ended, want its error")
			}
		}
	})
}
