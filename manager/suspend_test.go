package manager_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// suspended begins a Suspend and returns once it waits: the channel gets its error.
func suspended(m *manager.Manager[path], nodes ...path) (resume func(), told chan error) {
	told = make(chan error, 1)
	resumes := make(chan func(), 1)
	go func() {
		resume, err := m.Suspend(context.Background(), "moves to another disk", nodes...)
		resumes <- resume
		told <- err
	}()
	synctest.Wait()
	return func() { (<-resumes)() }, told
}

func TestSuspendedSubtreeRefusesRequestsThatTouchIt(t *testing.T) {
	m := manager.Start(t.Context())
	holder := must(m.TryAcquire(t.Context(), treelock.Write("/b")))
	resume, err := m.Suspend(t.Context(), "moves\nto another disk", "/a", "/x/y")
	if err != nil {
		t.Fatalf("Suspend() = %v, want nil, as nothing is live there", err)
	}
	for _, tt := range []struct {
		req  treelock.Request[path]
		node string // that is named; "" if the request is not refused
	}{
		{treelock.Read("/a"), "/a"},
		{treelock.ReadNode("/a/b/c"), "/a"},
		{treelock.Write("/c", "/x/y/z"), "/x/y"},
		{treelock.Read("/"), "/a"},
		{treelock.Write("/x"), "/x/y"},
		{treelock.WriteNode("/x"), ""},
		{treelock.ReadNode("/"), ""},
		{treelock.Write("/ab", "/x/z"), ""},
		{treelock.Request[path]{}, ""},
	} {
		for name, verb := range map[string]func() error{
			"Acquire":    func() error { return release(m.Acquire(t.Context(), tt.req)) },
			"TryAcquire": func() error { return release(m.TryAcquire(t.Context(), tt.req)) },
			"Check":      func() error { return m.Check(t.Context(), tt.req) },
			"Submit": func() error {
				ticket, err := m.Submit(t.Context(), tt.req)
				if err == nil {
					ticket.Withdraw()
				}
				return err
			},
			"Widen": func() error {
				g := must(m.TryAcquire(t.Context(), treelock.For[path]()))
				defer g.Release()
				return second(g.Widen(t.Context(), tt.req))
			},
		} {
			err := verb()
			if got := errors.Is(err, treelock.ErrSuspended); got != (tt.node != "") || (err != nil) != got {
				t.Errorf("%s(%v) = %v, want ErrSuspended: %t", name, tt.req, err, tt.node != "")
			}
			if err != nil && !strings.HasSuffix(err.Error(), ": the subtree is suspended: "+tt.node+`: moves\nto another disk`) {
				t.Errorf("%s(%v) = %v, want the node %s and the reason in one line", name, tt.req, err, tt.node)
			}
		}
	}
	s := must(m.Snapshot(t.Context(), manager.Query[path]{}))
	if len(s.Suspended) != 1 || fmt.Sprint(s.Suspended[0].Claims) != "[write /a write /x/y]" || s.Stats.Suspended != 25 || s.Stats.Live != 1 {
		t.Errorf("Snapshot() = %+v, %+v", s.Suspended, s.Stats)
	}
	for range 3 {
		resume()
	}
	must(m.TryAcquire(t.Context(), treelock.Write("/a"))).Release()
	holder.Release()
}

func release(g treelock.Grant[path], err error) error { g.Release(); return err }

// TestSuspendWaitsForTheLiveRequests has one of each kind: a holder, a waiter, a grant that is
// narrowed out, a grant with a request inside, and a widening.
func TestSuspendWaitsForTheLiveRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context())
		narrows := must(m.TryAcquire(t.Context(), treelock.Write("/a/1", "/b")))
		outer := must(m.TryAcquire(t.Context(), treelock.Write("/a/2")))
		waiter := must(m.Submit(t.Context(), treelock.Write("/a/2")))
		widens := must(m.TryAcquire(t.Context(), treelock.Write("/c")))
		widened := make(chan treelock.Grant[path], 1)
		go func() { widened <- must(widens.Widen(t.Context(), treelock.Write("/a/1"))) }()
		synctest.Wait()
		resume, told := suspended(m, "/a")
		pending := func(after string) {
			t.Helper()
			if synctest.Wait(); len(told) > 0 {
				t.Fatalf("Suspend() = %v after %s, and requests are live", <-told, after)
			}
		}
		pending("the call")
		inner := must(outer.Acquire(t.Context(), treelock.Write("/a/2/x"))) // goes on
		outer.Release()
		pending("the release of a grant with a request inside")
		inner.Release()
		g := <-waiter.Granted()
		if err := narrows.Narrow(treelock.Write("/b")); err != nil {
			t.Fatal(err)
		}
		wide := <-widened
		pending("the narrowing")
		if s := must(m.Snapshot(t.Context(), manager.Query[path]{})); s.Suspended[0].Live != 2 {
			t.Errorf("%d are live, want 2: the one that waited and the one that widened", s.Suspended[0].Live)
		}
		g.Release()
		pending("the release of the one that waited")
		wide.Release()
		if err := <-told; err != nil {
			t.Errorf("Suspend() = %v, want nil", err)
		}
		resume()
		must(m.TryAcquire(t.Context(), treelock.Write("/a"))).Release()
		narrows.Release()
	})
}

func TestSuspendStaysInForceWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager.Start(t.Context())
		must(m.TryAcquire(t.Context(), treelock.Write("/b")))
		holder := must(m.TryAcquire(t.Context(), treelock.Write("/a/x").Labeled("backup 3")))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for range 2 { // before and after its end
			resume, err := m.Suspend(ctx, "", "/a")
			var blocked *treelock.BlockedError[path]
			if !errors.Is(err, treelock.ErrGaveUp) || !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &blocked) {
				t.Fatalf("Suspend() = %v, want ErrGaveUp, DeadlineExceeded and a BlockedError", err)
			}
			if len(blocked.Blockers) != 1 || blocked.Blockers[0].Label != "backup 3" || blocked.Op != "suspend" {
				t.Errorf("Suspend() = %v, want the one request that is live there", err)
			}
			if err := m.Check(t.Context(), treelock.Read("/a")); !errors.Is(err, treelock.ErrSuspended) {
				t.Errorf("Check() = %v, want ErrSuspended", err)
			}
			resume()
		}
		holder.Release()
		must(m.TryAcquire(t.Context(), treelock.Write("/a"))).Release()
	})
}

func TestSuspendOfBadNodesAndStoppedManagers(t *testing.T) {
	m := manager.Start(context.Background())
	resume, err := m.Suspend(t.Context(), "", "/a", "no path")
	if pathErr := new(treelock.PathError); !errors.As(err, &pathErr) {
		t.Errorf("Suspend() = %v, want a PathError", err)
	}
	resume()
	must(m.TryAcquire(t.Context(), treelock.Write("/a"))).Release()
	first, err1 := m.Suspend(t.Context(), "", "/a")
	second, err2 := m.Suspend(t.Context(), "", "/a/b")
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	first()
	if err := m.Check(t.Context(), treelock.Read("/a")); !errors.Is(err, treelock.ErrSuspended) {
		t.Errorf("Check() = %v, want ErrSuspended, as one suspension is left", err)
	}
	if err := m.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown() = %v, want nil", err)
	}
	second()
	resume, err = m.Suspend(t.Context(), "", "/a")
	if resume(); !errors.Is(err, treelock.ErrStopped) {
		t.Errorf("Suspend() = %v, want ErrStopped", err)
	}
}

// TestStopEndsASuspend has a request that is never released.
func TestStopEndsASuspend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		m := manager.Start(ctx)
		must(m.TryAcquire(t.Context(), treelock.Write("/a")))
		resume, told := suspended(m, "/a")
		stop()
		if err := <-told; !errors.Is(err, treelock.ErrStopped) {
			t.Errorf("Suspend() = %v, want ErrStopped", err)
		}
		resume()
	})
}
