package docscheck

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

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
	submitted          chan *manager.Ticket[N] // by ticket.Wait or ticket.Err
}

var wanted = treelock.Write("/h/x")

func newScene(t *testing.T, opts ...manager.Option) *scene[treelock.Path] {
	ctx, stop := context.WithCancelCause(t.Context())
	s := &scene[treelock.Path]{m: manager.Start(ctx, opts...), stop: stop, submitted: make(chan *manager.Ticket[treelock.Path], 1)}
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
		_, err = s.m.Submit(ctx, req)
	case "`m.Do`":
		err = s.m.Do(ctx, req, work)
	case "`treelock.Do`":
		err = treelock.Do(ctx, treelock.Locker[N](s.m), req, work)
	case "`treelock.AcquireFunc`":
		_, err = treelock.AcquireFunc(ctx, treelock.Locker[N](s.m), func(context.Context) (treelock.Request[N], error) { return req, nil })
	case "`ticket.Wait`":
		ticket, refused := s.m.Submit(context.Background(), req)
		if err = refused; err == nil {
			s.submitted <- ticket
			_, err = ticket.Wait(ctx)
		}
	case "`ticket.Err`":
		ticket, refused := s.m.Submit(ctx, req)
		if err = refused; err == nil {
			s.submitted <- ticket
			<-ticket.Granted()
			err = ticket.Err()
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
