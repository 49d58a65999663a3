package docscheck

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// ends are the rows of docs/errors.md: each makes the call of a verb end in that way.
var ends = map[string]func(t *testing.T, verb string) error{
	"`ctx` has ended before": func(t *testing.T, verb string) error {
		ctx, cancel := context.WithDeadlineCause(t.Context(), time.Now(), errCtx)
		defer cancel()
		return newScene(t).call(ctx, verb, wanted)
	},
	"`ctx` ends while the request waits": func(t *testing.T, verb string) error {
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errCtx)
		defer cancel()
		return newScene(t).call(ctx, verb, wanted)
	},
	"the manager has stopped": func(t *testing.T, verb string) error {
		s := newScene(t)
		s.stop(errStop)
		<-s.m.Done()
		return s.call(t.Context(), verb, wanted)
	},
	"the manager stops while the request waits": func(t *testing.T, verb string) error {
		s := newScene(t)
		time.AfterFunc(time.Second, func() { s.stop(errStop) })
		return s.call(t.Context(), verb, wanted)
	},
	"the manager was shut down": func(t *testing.T, verb string) error {
		s := newScene(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s.m.Shutdown(ctx)
		return s.call(t.Context(), verb, wanted)
	},
	"the manager is shut down while the request waits": func(t *testing.T, verb string) error {
		s := newScene(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		time.AfterFunc(time.Millisecond, func() { s.m.Shutdown(ctx) }) // after the request
		return s.call(t.Context(), verb, wanted)
	},
	"a node is in a subtree that is suspended": func(t *testing.T, verb string) error {
		s := newScene(t)
		go s.m.Suspend(t.Context(), "maintenance", "/h") // held is live there
		synctest.Wait()
		return s.call(t.Context(), verb, wanted)
	},
	"the manager drains": func(t *testing.T, verb string) error {
		s := newScene(t)
		drain(t, s.m)
		return s.call(t.Context(), verb, wanted)
	},
	"the request would have to wait": func(t *testing.T, verb string) error {
		return newScene(t).call(t.Context(), verb, wanted)
	},
	"too many requests wait (`WithMaxWaiting`)": func(t *testing.T, verb string) error {
		return newScene(t, manager.WithMaxWaiting(0)).call(t.Context(), verb, wanted)
	},
	"as many requests wait at a node as `Queue` admits": func(t *testing.T, verb string) error {
		return newScene(t).call(t.Context(), verb, wanted.Queue(0))
	},
	"the request is revoked while it waits": func(t *testing.T, verb string) error {
		s := newScene(t)
		time.AfterFunc(time.Second, func() { revokeWaiting(t, s) })
		return s.call(t.Context(), verb, wanted)
	},
	"the ticket is withdrawn": func(t *testing.T, verb string) error {
		s := newScene(t)
		time.AfterFunc(time.Second, func() { (<-s.submitted).Withdraw() })
		return s.call(t.Context(), verb, wanted)
	},
	"the wait would close a circle": func(t *testing.T, verb string) error {
		s := newScene(t)
		if verb == "`grant.Widen`" { // wide waits for held, which waits for wide
			widenLater(t, s.held, treelock.Write("/w"))
			return s.call(t.Context(), verb, treelock.Write("/h"))
		}
		return s.call(treelock.NewContext(t.Context(), s.inside), verb, wanted)
	},
	"the request is not inside the grant": func(t *testing.T, verb string) error {
		return newScene(t).call(t.Context(), verb, treelock.Write("/elsewhere"))
	},
	"the widening of a sub-grant is not inside its grant": func(t *testing.T, verb string) error {
		s := newScene(t)
		s.wide = s.inside
		return s.call(t.Context(), verb, treelock.Write("/w"))
	},
	"a request inside the grant is live, and would be outside": func(t *testing.T, verb string) error {
		return newScene(t).call(t.Context(), verb, treelock.Write("/h/y"))
	},
	"another Widen of the grant waits": func(t *testing.T, verb string) error {
		s := newScene(t)
		widenLater(t, s.wide, wanted)
		if verb == "`grant.Narrow`" {
			s.held = s.wide
			return s.call(t.Context(), verb, treelock.Read("/w"))
		}
		return s.call(t.Context(), verb, wanted)
	},
	"the grant was released": func(t *testing.T, verb string) error {
		s := newScene(t)
		s.held.Release()
		s.inside.Release()
		s.wide.Release()
		return s.call(t.Context(), verb, wanted)
	},
	"the grant is released while the request waits": func(t *testing.T, verb string) error {
		s := newScene(t)
		time.AfterFunc(time.Second, func() {
			s.wide.Release()
			s.held.Release()
		})
		return s.call(t.Context(), verb, wanted)
	},
	"the grant was revoked": func(t *testing.T, verb string) error {
		s := newScene(t)
		revoke(t, s.m, s.held.Number())
		revoke(t, s.m, s.wide.Number())
		return s.call(t.Context(), verb, wanted)
	},
	"the grant is revoked while the request waits": func(t *testing.T, verb string) error {
		s := newScene(t)
		grant := s.held
		if verb == "`grant.Widen`" {
			grant = s.wide
		}
		time.AfterFunc(time.Second, func() { revoke(t, s.m, grant.Number()) })
		return s.call(t.Context(), verb, wanted)
	},
	"a path is not canonical": func(t *testing.T, verb string) error {
		return newScene(t).call(t.Context(), verb, treelock.Write("/h/x/"))
	},
	"a path is too long (`WithMaxPath`)": func(t *testing.T, verb string) error {
		return newScene(t, manager.WithMaxPath(4)).call(t.Context(), verb, treelock.Write("/h/xy"))
	},
	"a node has too many ancestors (`WithMaxDepth`)": func(t *testing.T, verb string) error {
		return newScene(t, manager.WithMaxDepth(3)).call(t.Context(), verb, treelock.Write("/h/x/y"))
	},
	"the request has too many claims (`WithMaxClaims`)": func(t *testing.T, verb string) error {
		return newScene(t, manager.WithMaxClaims(1)).call(t.Context(), verb, treelock.Write("/h/x", "/h/y"))
	},
	"a node is not equal to itself": func(t *testing.T, verb string) error {
		type key = treelock.Key[float64]
		s := &scene[key]{m: manager.StartNodes[key](t.Context())}
		s.held, _ = s.m.Acquire(t.Context(), treelock.For[key]().Write(key{Value: 1}))
		s.wide = s.held
		return s.call(t.Context(), verb, treelock.For[key]().Write(key{Value: math.NaN()}))
	},
	"a text or a name is not that of a path": func(t *testing.T, verb string) (err error) {
		switch path := treelock.Path("/50%"); verb {
		case "`treelock.ParsePath`":
			_, err = treelock.ParsePath("a")
		case "`treelock.FilePath`":
			_, err = treelock.FilePath("")
		case "`path.Unescape`":
			_, err = path.Unescape()
		case "`path.UnmarshalText`":
			err = path.UnmarshalText([]byte("a"))
		}
		return err
	},
	"`f` fails": func(t *testing.T, verb string) error {
		return newScene(t).call(t.Context(), verb, treelock.Write("/free"))
	},
	"`compute` fails": func(t *testing.T, verb string) error {
		_, err := treelock.AcquireFunc(t.Context(), treelock.Locker[treelock.Path](newScene(t).m),
			func(context.Context) (treelock.Request[treelock.Path], error) {
				return treelock.Write("/free"), errWork
			})
		return err
	},
	"`ctx` has ended before, and a request is live": func(t *testing.T, verb string) error {
		ctx, cancel := context.WithDeadlineCause(t.Context(), time.Now(), errCtx)
		defer cancel()
		return newScene(t).call(ctx, verb, wanted)
	},
	"`ctx` ends while a request is live": func(t *testing.T, verb string) error {
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errCtx)
		defer cancel()
		return newScene(t).call(ctx, verb, wanted)
	},
	"no request with that number is live": func(t *testing.T, verb string) error {
		s := newScene(t)
		s.inside.Release()
		s.held.Release()
		return s.call(t.Context(), verb, wanted)
	},
}

// drain begins to drain a manager.
func drain(t *testing.T, m *manager.Manager[treelock.Path]) {
	go m.Drain(t.Context())
	synctest.Wait()
}

// widenLater begins to widen a grant, which waits until the test ends.
func widenLater(t *testing.T, grant treelock.Grant[treelock.Path], req treelock.Request[treelock.Path]) {
	go grant.Widen(t.Context(), req)
	synctest.Wait()
}

func revoke(t *testing.T, m *manager.Manager[treelock.Path], number uint64) {
	if err := m.Revoke(t.Context(), number, errRevoked); err != nil {
		t.Errorf("Revoke() = %v", err)
	}
}

// revokeWaiting revokes the one request that waits.
func revokeWaiting(t *testing.T, s *scene[treelock.Path]) {
	snapshot, err := s.m.Snapshot(t.Context(), manager.Query[treelock.Path]{})
	if err != nil {
		t.Error(err)
		return
	}
	for r := range snapshot.All() {
		if r.State == treelock.Waiting {
			revoke(t, s.m, r.Number)
		}
	}
}
