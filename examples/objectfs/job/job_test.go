package job

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/objectfs/folder"
	"github.com/treelock/treelock/examples/objectfs/lock"
	"github.com/treelock/treelock/examples/objectfs/store"
	"github.com/treelock/treelock/manager"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// treeLock starts a manager that ends with the test.
func treeLock(t *testing.T) lock.Locker {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	m := manager.Start(ctx)
	t.Cleanup(func() { cancel(); <-m.Done() })
	return lock.Tree(m)
}

// someTrees returns five small trees.
func someTrees() []*Tree {
	var trees []*Tree
	for id := range 5 {
		files := make(folder.Files)
		for i := range 2 + id%3 {
			files[fmt.Sprintf("dir-%d/%d", i%2, i)] = fmt.Appendf(nil, "tree %d file %d", id, i)
		}
		trees = append(trees, &Tree{id, files})
	}
	return trees
}

// loaded returns a loaded job, with what config leaves out filled in.
func loaded(t *testing.T, config Config) *Job {
	t.Helper()
	if config.Store == nil {
		config.Store = store.NewMemory()
	}
	config.Prefix, config.Trees, config.Clients, config.Seed = "job", someTrees(), 16, 1
	j := New(config)
	if err := j.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return j
}

func wantSound(t *testing.T, j *Job, result Result) {
	t.Helper()
	if len(result.Errors) > 0 {
		t.Errorf("failed operations: %q", result.Errors)
	}
	if damages, err := j.Verify(t.Context()); len(damages) > 0 || err != nil {
		t.Errorf("Verify = %v, %v, want no damage", damages, err)
	}
}

func TestFoldersStaySoundUnderLocks(t *testing.T) {
	for name, locks := range map[string]lock.Locker{"tree": treeLock(t), "global": lock.Global()} {
		t.Run(name, func(t *testing.T) {
			const ops = 4000 // so many that each operation is done, the rarest some fifteen times
			j := loaded(t, Config{Locks: locks, Ops: ops})
			result := j.Run(t.Context())
			wantSound(t, j, result)
			if j.Done() != ops {
				t.Errorf("Done() = %d, want %d", j.Done(), ops)
			}
			done := 0
			for _, op := range Ops() {
				if result.Ops[op].Done == 0 {
					t.Errorf("%s: none was done", op)
				}
				done += result.Ops[op].Done
			}
			if done < ops*7/10 {
				t.Errorf("%d of %d operations are done, want most: a client chooses what fits", done, ops)
			}
		})
	}
}

func TestWithoutLocksFoldersAreDamaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := loaded(t, Config{Locks: lock.None(), Ops: 1000, Latency: 20 * time.Millisecond})
		result := j.Run(t.Context())
		damages, err := j.Verify(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(damages) == 0 || len(result.Errors) == 0 || result.WrongReads == 0 {
			t.Errorf("%d damaged folders, %d failures, %d wrong reads, want some of each",
				len(damages), len(result.Errors), result.WrongReads)
		}
	})
}

// rootOnly guards everything by the root, as one big lock does, and synctest sees its waits.
type rootOnly struct{ lock.Locker }

func (r rootOnly) Lock(ctx context.Context, req lock.Request) (lock.Held, error) {
	for claim := range req.Claims() {
		if claim.Access == treelock.Exclusive {
			return r.Locker.Lock(ctx, treelock.Write("/"))
		}
	}
	return r.Locker.Lock(ctx, treelock.Read("/"))
}

func TestTreeIsSeveralTimesAsFastAsOneLock(t *testing.T) {
	took := func(wrap func(l lock.Locker) lock.Locker) (elapsed time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			j := loaded(t, Config{Locks: wrap(treeLock(t)), Ops: 300, Latency: 20 * time.Millisecond})
			result := j.Run(t.Context())
			wantSound(t, j, result)
			elapsed = result.Elapsed
		})
		return elapsed
	}
	tree := took(func(l lock.Locker) lock.Locker { return l })
	one := took(func(l lock.Locker) lock.Locker { return rootOnly{l} })
	if one < 4*tree {
		t.Errorf("%v with tree locks, %v with one lock: want tree at least 4 times as fast", tree, one)
	}
}

func TestInterruptedRunEndsTheOperationsThatItBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		j := loaded(t, Config{Locks: treeLock(t), Ops: 100_000, Latency: 20 * time.Millisecond})
		result := j.Run(ctx)
		wantSound(t, j, result)
		if result.Elapsed < time.Second || result.Elapsed > 5*time.Second {
			t.Errorf("the run ended after %v, want little more than a second", result.Elapsed)
		}
		if done := j.Done(); done == 0 || done == 100_000 {
			t.Errorf("%d operations are done, want some but not all", done)
		}
	})
}

func TestCleanTouchesNothingBesideThePrefix(t *testing.T) {
	s := store.NewMemory()
	want := []string{"jo", "job", "job-2", "other/job/x"}
	for _, key := range want {
		if err := s.Write(t.Context(), key, nil); err != nil {
			t.Fatal(err)
		}
	}
	j := loaded(t, Config{Store: s, Locks: lock.None()})
	for range 2 { // nothing to remove is no failure
		if err := j.Clean(t.Context()); err != nil {
			t.Error(err)
		}
	}
	got, err := s.List(t.Context(), "")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("the store, %v: -want +got\n%s", err, diff)
	}
}
