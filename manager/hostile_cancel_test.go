package manager_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// lateStuck is a context that, once it has ended, blocks when it is asked why.
type lateStuck struct {
	context.Context
	done, free chan struct{}
}

func (c lateStuck) Done() <-chan struct{} { return c.done }

func (c lateStuck) Err() error {
	select {
	case <-c.done:
		<-c.free
		return context.Canceled
	default:
		return nil
	}
}

// However many clients have contexts that block, those of others can still be cancelled.
func TestContextsThatBlockStopNoOtherCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context())
		must(m.TryAcquire(treelock.Write("/a")))
		hostile := lateStuck{t.Context(), make(chan struct{}), make(chan struct{})}
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

func TestAnyNumberOfIdleNodesMayBeRemembered(t *testing.T) {
	long := path("/" + strings.Repeat("x", 1000))
	for _, n := range []int{0, 1, math.MaxInt / 256, math.MaxInt/256 + 1, math.MaxInt} {
		ctx, stop := context.WithCancel(t.Context())
		m := manager.Start(ctx, manager.WithIdleNodes(n))
		for range 2 {
			must(m.TryAcquire(treelock.Write(long))).Release()
		}
		if got := m.Stats().Nodes; n > 1 && got != 2 {
			t.Errorf("WithIdleNodes(%d): %d nodes are remembered, want 2", n, got)
		}
		stop()
		<-m.Done()
	}
}
