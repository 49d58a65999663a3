package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/treelock/treelock/examples/objectfs/store"
	"github.com/treelock/treelock/examples/objectfs/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemoryKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return store.NewMemory() })
}

func TestHookedStoreKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store {
		return store.Before(store.NewMemory(), func(context.Context, string) error { return nil })
	})
}

// eachOperation calls every operation of s, and returns their errors in the order of the calls.
func eachOperation(ctx context.Context, s store.Store) []error {
	_, list := s.List(ctx, "a/")
	_, read := s.Read(ctx, "a/1")
	return []error{list, read, s.Write(ctx, "a/1", nil), s.Copy(ctx, "a/1", "b"), s.Delete(ctx, "a/1")}
}

func TestFailingHookStopsEveryOperation(t *testing.T) {
	memory, down := store.NewMemory(), errors.New("down")
	var steps []string
	s := store.Before(memory, func(_ context.Context, step string) error {
		steps = append(steps, step)
		return down
	})
	for i, err := range eachOperation(t.Context(), s) {
		if !errors.Is(err, down) {
			t.Errorf("%s = %v, want the error of the hook", steps[i], err)
		}
	}
	if diff := cmp.Diff([]string{"list a/", "read a/1", "write a/1", "copy a/1", "delete a/1"}, steps); diff != "" {
		t.Errorf("steps: -want +got\n%s", diff)
	}
	if keys, err := memory.List(t.Context(), ""); len(keys) > 0 || err != nil {
		t.Errorf("the store holds %q, %v, want nothing", keys, err)
	}
}

func TestSlowStoreTakesItsTimeAndEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := store.Slow(store.NewMemory(), time.Second)
		start := time.Now()
		eachOperation(t.Context(), s)
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("five operations took %v, want 5s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		errs := eachOperation(ctx, s)
		if slices.ContainsFunc(errs, func(err error) bool { return !errors.Is(err, context.DeadlineExceeded) }) {
			t.Errorf("errors = %v, want the context's error from each", errs)
		}
	})
}
