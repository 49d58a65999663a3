package job

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/memblob"
	_ "gocloud.dev/blob/s3blob"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/objectfs/folder"
	"github.com/treelock/treelock/examples/objectfs/internal/fakes3"
	"github.com/treelock/treelock/examples/objectfs/lock"
	"github.com/treelock/treelock/examples/objectfs/store"
	"github.com/treelock/treelock/manager"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// openStore returns the store in the bucket at url.
func openStore(t *testing.T, url string) store.Store {
	t.Helper()
	bucket, err := blob.OpenBucket(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bucket.Close() })
	return store.NewBucket(bucket)
}

// treeLock starts a manager that ends with the test.
func treeLock(t *testing.T) lock.Locker {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	m := manager.Start(ctx)
	t.Cleanup(func() { cancel(); <-m.Done() })
	return lock.Tree(m)
}

// someTrees returns n small trees.
func someTrees(n int) []*Tree {
	var trees []*Tree
	for id := range n {
		files := make(folder.Files)
		for i := range 2 + id%3 {
			name := fmt.Sprintf("dir-%d/%d", i%2, i)
			files[name] = fmt.Appendf(nil, "tree %d file %d", id, i)
		}
		trees = append(trees, &Tree{id, files})
	}
	return trees
}

// loaded returns a loaded job in s, with what config leaves out filled in.
func loaded(t *testing.T, s store.Store, config Config) *Job {
	t.Helper()
	config.Store, config.Trees = s, someTrees(5)
	if config.Prefix == "" {
		config.Prefix = "job"
	}
	config.Clients, config.Seed = 16, 1
	j := New(config)
	if err := j.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return j
}

func wantSound(t *testing.T, j *Job, result Result) {
	t.Helper()
	for op, count := range result.Ops {
		if count.Failed > 0 {
			t.Errorf("%s: %d failed", op, count.Failed)
		}
	}
	for _, failure := range result.Errors {
		t.Error(failure)
	}
	wantDamage(t, j)
}

// wantDamage verifies j and compares what is damaged with want: "slot: kind".
func wantDamage(t *testing.T, j *Job, want ...string) {
	t.Helper()
	damages, err := j.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, damage := range damages {
		got = append(got, fmt.Sprintf("%s: %s", strings.TrimPrefix(damage.Folder, "job/"), damage.Kind))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("damage: -want +got\n%s%v", diff, damages)
	}
}

// The same job on every kind of bucket: what people run.
func TestFoldersStaySoundUnderLocks(t *testing.T) {
	for name, test := range map[string]struct {
		url   func(t *testing.T) string
		locks func(t *testing.T) lock.Locker
		ops   int
	}{
		"tree/mem":   {func(*testing.T) string { return "mem://" }, treeLock, 500},
		"tree/file":  {func(t *testing.T) string { return "file://" + filepath.ToSlash(t.TempDir()) + "?no_tmp_dir=true" }, treeLock, 100},
		"tree/s3":    {func(t *testing.T) string { return fakes3.Start(t) }, treeLock, 60},
		"global/mem": {func(*testing.T) string { return "mem://" }, func(*testing.T) lock.Locker { return lock.Global() }, 300},
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, test.url(t))
			j := loaded(t, s, Config{Locks: test.locks(t), Ops: test.ops})
			result := j.Run(t.Context())
			wantSound(t, j, result)
			if j.Done() != test.ops {
				t.Errorf("Done() = %d, want %d", j.Done(), test.ops)
			}
			for _, op := range []Op{Read, Write, Rename, Copy, Delete} {
				if result.Ops[op].Done == 0 {
					t.Errorf("%s: none was done", op)
				}
			}
			if err := j.Clean(t.Context()); err != nil {
				t.Error(err)
			}
			if left, err := s.List(t.Context(), ""); len(left) > 0 || err != nil {
				t.Errorf("after Clean there are %q, %v", left, err)
			}
		})
	}
}

func TestWithoutLocksFoldersAreDamaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := loaded(t, openStore(t, "mem://"), Config{Locks: lock.None(), Ops: 1000, Latency: 20 * time.Millisecond})
		result := j.Run(t.Context())
		damages, err := j.Verify(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(damages) == 0 || len(result.Errors) == 0 || len(result.Reads) == 0 {
			t.Errorf("%d damaged folders, %d failures, %d kinds of wrong reads: want some of each",
				len(damages), len(result.Errors), len(result.Reads))
		}
	})
}

// rootOnly guards everything by the root, as one big lock does, and lets synctest see who waits.
type rootOnly struct{ lock.Locker }

func (r rootOnly) Lock(ctx context.Context, req treelock.Request[treelock.Path]) (unlock func(), err error) {
	for claim := range req.Claims() {
		if claim.Access == treelock.Exclusive {
			return r.Locker.Lock(ctx, treelock.Write("/"))
		}
	}
	return r.Locker.Lock(ctx, treelock.Read("/"))
}

func TestTreeIsSeveralTimesAsFastAsOneLock(t *testing.T) {
	took := func(config Config) (elapsed time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			config.Ops, config.Latency, config.Locks = 300, 20*time.Millisecond, treeLock(t)
			if config.Prefix == "one-lock" {
				config.Locks = rootOnly{config.Locks}
			}
			j := loaded(t, openStore(t, "mem://"), config)
			result := j.Run(t.Context())
			wantSound(t, j, result)
			elapsed = result.Elapsed
		})
		return elapsed
	}
	tree, one := took(Config{Prefix: "job"}), took(Config{Prefix: "one-lock"})
	if one < 4*tree {
		t.Errorf("%v with tree locks, %v with one lock: want tree at least 4 times as fast", tree, one)
	}
}

func TestInterruptedRunEndsWhatItBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		j := loaded(t, openStore(t, "mem://"), Config{Locks: treeLock(t), Ops: 100_000, Latency: 20 * time.Millisecond})
		result := j.Run(ctx)
		wantSound(t, j, result)
		if result.Elapsed < time.Second || result.Elapsed > 5*time.Second {
			t.Errorf("the run ended after %v, want little more than a second", result.Elapsed)
		}
		sum := 0
		for _, count := range result.Ops {
			sum += count.Done + count.Refused
		}
		if sum != j.Done() || sum == 0 {
			t.Errorf("%d operations in the result, %d by Done", sum, j.Done())
		}
	})
}

// stuck is a store whose deletions end only with their context.
type stuck struct{ store.Store }

func (stuck) Delete(ctx context.Context, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestInterruptedRunWaitsForAStuckStoreHalfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		j := loaded(t, stuck{openStore(t, "mem://")}, Config{Locks: treeLock(t), Ops: 1000})
		result := j.Run(ctx)
		if want := time.Second + grace; result.Elapsed < want || result.Elapsed > 2*want {
			t.Errorf("the run ended after %v, want %v or little more", result.Elapsed, want)
		}
		if len(result.Errors) == 0 {
			t.Error("no operation failed, want some")
		}
	})
}

func TestPrefixInUseIsRefusedAndUntouched(t *testing.T) {
	s := openStore(t, "mem://")
	for _, key := range []string{"job/mine", "job-2", "job"} {
		if err := s.Write(t.Context(), key, nil); err != nil {
			t.Fatal(err)
		}
	}
	j := New(Config{Store: s, Prefix: "job", Trees: someTrees(1), Locks: lock.None(), Clients: 1, Ops: 1})
	if err := j.Load(t.Context()); !errors.Is(err, ErrInUse) {
		t.Errorf("Load = %v, want ErrInUse", err)
	}
	got, err := s.List(t.Context(), "")
	if want := []string{"job", "job-2", "job/mine"}; !slices.Equal(got, want) || err != nil {
		t.Errorf("the bucket holds %q, %v, want %q", got, err, want)
	}
}

func TestCleanTouchesNothingBesideThePrefix(t *testing.T) {
	s := openStore(t, "mem://")
	for _, key := range []string{"job", "job-2", "jo", "other/job/x"} {
		if err := s.Write(t.Context(), key, nil); err != nil {
			t.Fatal(err)
		}
	}
	j := loaded(t, s, Config{Locks: lock.None()})
	if err := j.Clean(t.Context()); err != nil {
		t.Error(err)
	}
	got, err := s.List(t.Context(), "")
	if want := []string{"jo", "job", "job-2", "other/job/x"}; !slices.Equal(got, want) || err != nil {
		t.Errorf("the bucket holds %q, %v, want %q", got, err, want)
	}
}
