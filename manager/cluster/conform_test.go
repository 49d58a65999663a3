package cluster

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/fuzz/locktest"
	"github.com/treelock/treelock/manager"
)

type path = treelock.Path

// sharing returns how to start a lock that is n managers with one log. A request goes to one of
// them by its label, so the clients of a scenario belong to different processes. With whole, the
// grants can do all that those of a manager can.
func sharing(n int, whole bool) locktest.Start[path] {
	return func(ctx context.Context, o locktest.Options) (locktest.Lock[path], error) {
		if o.FirstToken != 0 || o.Limited && n > 1 { // a limit is that of a process
			return locktest.Lock[path]{}, errors.ErrUnsupported
		}
		opts := []manager.Option{
			manager.WithMaxDepth(o.MaxDepth), manager.WithIdleNodes(o.IdleNodes - 1), manager.WithClients(1),
		}
		if o.Limited {
			opts = append(opts, manager.WithMaxWaiting(o.MaxWaiting))
		}
		all := startMemory(ctx, n, opts...)
		of := func(req treelock.Request[path]) *manager.Manager[path] {
			h := fnv.New32()
			h.Write([]byte(req.Label()))
			return all[h.Sum32()%uint32(n)]
		}
		grantOf := func(g treelock.Grant[path], err error) (locktest.Grant, error) {
			switch {
			case g == treelock.Grant[path]{}:
				return nil, err
			case whole:
				return g, err
			default:
				return flat{g}, err
			}
		}
		lock := locktest.Lock[path]{
			Acquire: func(ctx context.Context, req treelock.Request[path]) (locktest.Grant, error) {
				return grantOf(of(req).Acquire(ctx, req))
			},
			TryAcquire: func(ctx context.Context, req treelock.Request[path]) (locktest.Grant, error) {
				return grantOf(of(req).TryAcquire(ctx, req))
			},
			Submit: func(ctx context.Context, req treelock.Request[path]) (locktest.Ticket, error) {
				t, err := of(req).Submit(ctx, req)
				if err != nil {
					return nil, err
				}
				return ticket{t, grantOf}, nil
			},
			Do: func(ctx context.Context, req treelock.Request[path], f func(context.Context) error) error {
				return of(req).Do(ctx, req, f)
			},
			// Other processes see a request that is refused until the log says that it has ended.
			TriesLinger: n > 1,

			Locker: all[0],
			Revoke: all[0].Revoke,
			Number: func(label string, widening bool) uint64 {
				s, _ := all[0].Snapshot(ctx, manager.Query[path]{})
				for r := range s.All() {
					if r.Label == label && (r.Widens != 0) == widening {
						return r.Number
					}
				}
				return 0
			},
			Check: func(ctx context.Context, req treelock.Request[path]) error { return of(req).Check(ctx, req) },
		}
		if n == 1 {
			// Several managers do not stop at one moment.
			lock.Drain, lock.Done = all[0].Drain, all[0].Done()
		}
		return lock, nil
	}
}

// A flat grant is a grant as far as processes share it: requests inside it, and contexts that carry
// it, concern one process alone.
type flat struct{ g treelock.Grant[path] }

func (f flat) Release()                                { f.g.Release() }
func (f flat) Narrow(req treelock.Request[path]) error { return f.g.Narrow(req) }

type ticket struct {
	*manager.Ticket[path]
	grantOf func(treelock.Grant[path], error) (locktest.Grant, error)
}

func (t ticket) Receive() (locktest.Grant, bool) {
	if g, ok := <-t.Granted(); ok {
		grant, _ := t.grantOf(g, nil)
		return grant, true
	}
	return nil, false
}

func (t ticket) Wait(ctx context.Context) (locktest.Grant, error) {
	return t.grantOf(t.Ticket.Wait(ctx))
}

func (t ticket) Ready() bool { return len(t.Granted()) > 0 }

// A scenario with these words has a part that a journal does not have, or that concerns one process
// alone.
var (
	noJournal  = regexp.MustCompile(`(?m)\b(widen|token|manager|suspend|shutdown|resume|queue)\b`)
	oneProcess = regexp.MustCompile(`(?m)\b(under|helping|drain|revoke|stop)\b`)
)

// The scenarios of the manager end alike if the clients are in several processes.
func TestScenariosEndAlikeInSeveralProcesses(t *testing.T) {
	files, err := filepath.Glob("../testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios (%v)", err)
	}
	played := 0
	for _, file := range files {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, 4} {
			if noJournal.Match(want) || n > 1 && oneProcess.Match(want) {
				continue
			}
			played++
			t.Run(filepath.Base(file), func(t *testing.T) {
				if diff := cmp.Diff(string(want), string(locktest.Scenario(t, sharing(n, true), want))); diff != "" {
					t.Errorf("with %d processes (- as with a manager):\n%s", n, diff)
				}
			})
		}
	}
	if played < 60 {
		t.Errorf("%d scenarios were played, want more", played)
	}
}

// Histories of clients in several processes end as the model says.
func TestRandomHistoriesInSeveralProcesses(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		data := make([]byte, random.IntN(200))
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		locktest.Play(t, sharing(1+random.IntN(4), false), data)
	}
}
