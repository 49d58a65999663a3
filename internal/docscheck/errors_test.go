package docscheck

import (
	"context"
	"errors"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

var (
	errCtx     = errors.New("the cause of the end of ctx")
	errStop    = errors.New("the cause of the end of the manager")
	errRevoked = errors.New("the cause of the revocation")
	errWork    = errors.New("the function failed")
)

// isNamed says what a name in docs/errors.md means.
var isNamed = map[string]func(err error) bool{
	"`ErrShutdown`": is(treelock.ErrShutdown), "`ErrSuspended`": is(treelock.ErrSuspended),
	"`ErrStopped`": is(treelock.ErrStopped), "`ErrConflict`": is(treelock.ErrConflict), "`ErrBusy`": is(treelock.ErrBusy),
	"`ErrDraining`": is(treelock.ErrDraining), "`ErrWithdrawn`": is(treelock.ErrWithdrawn), "`ErrGaveUp`": is(treelock.ErrGaveUp),
	"`ErrNotHeld`": is(treelock.ErrNotHeld), "`ErrReleased`": is(treelock.ErrReleased), "`ErrWidening`": is(treelock.ErrWidening),
	"`ErrLost`": is(treelock.ErrLost), "`ErrDeadlock`": is(treelock.ErrDeadlock), "`ErrTooDeep`": is(treelock.ErrTooDeep),
	"`ErrTooWide`": is(treelock.ErrTooWide), "`ErrTooLong`": is(treelock.ErrTooLong), "`ErrIncomparable`": is(treelock.ErrIncomparable),

	"`ctx.Err()`":                 is(context.DeadlineExceeded),
	"`context.Cause(ctx)`":        is(errCtx),
	"the cause of the manager":    is(errStop),
	"the cause of the revocation": is(errRevoked),
	"the error of the function":   is(errWork),
	"`*BlockedError`":             as[*treelock.BlockedError[treelock.Path]],
	"`*DeadlockError`":            as[*treelock.DeadlockError[treelock.Path]],
	"`*PathError`":                as[*treelock.PathError],
}

func is(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }

func as[E error](err error) bool { return errors.As(err, new(E)) }

// A scene is a manager with grants: held has /h alone, inside has /h/x inside held, and wide reads
// /w. So a request for /h/x has to wait: outside held, inside held, and as a widening of wide.
type scene[N treelock.Node[N]] struct {
	m                  *manager.Manager[N]
	stop               context.CancelCauseFunc
	held, inside, wide treelock.Grant[N]
	ticket             *manager.Ticket[N] // of the last request that was submitted
}

var wanted = treelock.Write("/h/x")

func newScene(t *testing.T, opts ...manager.Option) *scene[treelock.Path] {
	ctx, stop := context.WithCancelCause(t.Context())
	s := &scene[treelock.Path]{m: manager.Start(ctx, opts...), stop: stop}
	acquire := func(l treelock.Locker[treelock.Path], req treelock.Request[treelock.Path]) treelock.Grant[treelock.Path] {
		grant, err := l.TryAcquire(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		return grant
	}
	s.held = acquire(s.m, treelock.Write("/h"))
	s.inside = acquire(s.held, wanted)
	s.wide = acquire(s.m, treelock.Read("/w"))
	return s
}

// call calls a verb of docs/errors.md, and returns its error.
func (s *scene[N]) call(ctx context.Context, verb string, req treelock.Request[N]) (err error) {
	work := func(context.Context) error { return errWork }
	switch verb {
	case "`m.Acquire`":
		_, err = s.m.Acquire(ctx, req)
	case "`m.TryAcquire`":
		_, err = s.m.TryAcquire(ctx, req)
	case "`m.Check`":
		err = s.m.Check(ctx, req)
	case "`m.Submit`":
		s.ticket, err = s.m.Submit(ctx, req)
	case "`m.Do`":
		err = s.m.Do(ctx, req, work)
	case "`treelock.Do`":
		err = treelock.Do(ctx, treelock.Locker[N](s.m), req, work)
	case "`treelock.AcquireFunc`":
		_, err = treelock.AcquireFunc(ctx, treelock.Locker[N](s.m), func(context.Context) (treelock.Request[N], error) { return req, nil })
	case "`ticket.Wait`":
		if s.ticket, err = s.m.Submit(context.Background(), req); err == nil {
			_, err = s.ticket.Wait(ctx)
		}
	case "`ticket.Err`":
		if s.ticket, err = s.m.Submit(ctx, req); err == nil {
			<-s.ticket.Granted()
			err = s.ticket.Err()
		}
	case "`grant.Acquire`":
		_, err = s.held.Acquire(ctx, req)
	case "`grant.TryAcquire`":
		_, err = s.held.TryAcquire(ctx, req)
	case "`grant.Widen`":
		_, err = s.wide.Widen(ctx, req)
	case "`grant.TryWiden`":
		_, err = s.wide.TryWiden(ctx, req)
	case "`grant.Narrow`":
		err = s.held.Narrow(req)
	case "`grant.Err`":
		err = s.held.Err()
	case "`m.Drain`":
		err = s.m.Drain(ctx)
	case "`m.Shutdown`":
		err = s.m.Shutdown(ctx)
	case "`m.Suspend`":
		var nodes []N
		for claim := range req.Claims() {
			nodes = append(nodes, claim.Node)
		}
		_, err = s.m.Suspend(ctx, "maintenance", nodes...)
	case "`m.Revoke`":
		err = s.m.Revoke(ctx, s.held.Number(), errRevoked)
	case "`m.Snapshot`":
		_, err = s.m.Snapshot(ctx, manager.Query[N]{})
	default:
		err = errors.New("there is no verb " + verb)
	}
	return err
}

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
		time.AfterFunc(time.Second, func() { s.ticket.Withdraw() })
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

var errorRow = regexp.MustCompile("(?m)^\\| ([^|]+) \\| (`[^|]+) \\| ([^|]+) \\|$")

// Each row of docs/errors.md says with which errors these verbs end, and with no others.
func TestErrorsAreThoseOfTheTable(t *testing.T) {
	untested := maps.Clone(ends)
	for _, row := range errorRow.FindAllStringSubmatch(read(t, "docs/errors.md"), -1) {
		end, want := ends[row[1]], strings.Split(row[3], ", ")
		if delete(untested, row[1]); end == nil {
			t.Errorf("no test makes a call end because: %s", row[1])
			continue
		}
		slices.Sort(want)
		for _, verb := range strings.Split(row[2], ", ") {
			t.Run(row[1]+"/"+verb, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					err := end(t, verb)
					got := slices.DeleteFunc(slices.Sorted(maps.Keys(isNamed)), func(name string) bool { return !isNamed[name](err) })
					if !slices.Equal(got, want) {
						t.Errorf("the error %v is %q, want %q", err, got, want)
					}
				})
			})
		}
	}
	for end := range untested {
		t.Errorf("docs/errors.md has no row: %s", end)
	}
}
