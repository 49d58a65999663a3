package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/memblob"
	_ "gocloud.dev/blob/s3blob"

	"github.com/treelock/treelock/examples/objectfs/internal/fakes3"
	"github.com/treelock/treelock/examples/objectfs/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open returns the store in the bucket at url.
func open(t *testing.T, url string) *store.Bucket {
	t.Helper()
	bucket, err := blob.OpenBucket(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bucket.Close() })
	return store.NewBucket(bucket)
}

// onEveryBucket runs test on a bucket of each kind.
func onEveryBucket(t *testing.T, test func(t *testing.T, s *store.Bucket)) {
	t.Run("mem", func(t *testing.T) { test(t, open(t, "mem://")) })
	t.Run("file", func(t *testing.T) { test(t, open(t, fileURL(t.TempDir()))) })
	t.Run("s3", func(t *testing.T) { test(t, open(t, fakes3.Start(t))) })
}

func fileURL(dir string) string {
	return "file://" + filepath.ToSlash(dir) + "?no_tmp_dir=true&metadata=skip"
}

func write(t *testing.T, s store.Store, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if err := s.Write(t.Context(), key, []byte("bytes of "+key)); err != nil {
			t.Fatalf("Write(%q) = %v", key, err)
		}
	}
}

func wantList(t *testing.T, s store.Store, prefix string, want ...string) {
	t.Helper()
	got, err := s.List(t.Context(), prefix)
	if err != nil {
		t.Fatalf("List(%q) = %v", prefix, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("List(%q): -want +got\n%s", prefix, diff)
	}
}

func TestBucketKeepsTheContract(t *testing.T) {
	onEveryBucket(t, func(t *testing.T, s *store.Bucket) {
		ctx := t.Context()
		write(t, s, "a/x", "a/b/y", "a-b", "ab/z", "%2F/%25")
		wantList(t, s, "", "%2F/%25", "a-b", "a/b/y", "a/x", "ab/z")
		wantList(t, s, "a/", "a/b/y", "a/x")
		wantList(t, s, "nothing/")

		if err := s.Copy(ctx, "a/x", "c/x"); err != nil {
			t.Errorf("Copy = %v", err)
		}
		if got, err := s.Read(ctx, "c/x"); string(got) != "bytes of a/x" || err != nil {
			t.Errorf("Read of the copy = %q, %v", got, err)
		}
		if err := s.Delete(ctx, "a/x"); err != nil {
			t.Errorf("Delete = %v", err)
		}
		for key, want := range map[string]bool{"a/x": false, "a": false, "c/x": true} {
			if got, err := s.Exists(ctx, key); got != want || err != nil {
				t.Errorf("Exists(%q) = %t, %v, want %t", key, got, err, want)
			}
		}
	})
}

func TestMissingObjectIsErrNotExist(t *testing.T) {
	onEveryBucket(t, func(t *testing.T, s *store.Bucket) {
		_, read := s.Read(t.Context(), "gone")
		for verb, err := range map[string]error{
			"Read":   read,
			"Copy":   s.Copy(t.Context(), "gone", "new"),
			"Delete": s.Delete(t.Context(), "gone"),
		} {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s of a missing object = %v, want an error that matches fs.ErrNotExist", verb, err)
			}
		}
	})
}

// hostile are keys that a file system, or a careless client, takes for other ones.
var hostile = []string{"/a", "a", "a//b", "a/./b", "a/../b", "a/b", "a/b/", "b", "%2F", "%252F", "../b", "a\nb"}

func TestHostileKeysStayApart(t *testing.T) {
	for name, url := range map[string]func(t *testing.T) string{
		"mem": func(*testing.T) string { return "mem://" },
		"s3":  func(t *testing.T) string { return fakes3.Start(t) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, url(t))
			write(t, s, hostile...)
			for _, key := range hostile {
				if got, err := s.Read(t.Context(), key); string(got) != "bytes of "+key || err != nil {
					t.Errorf("Read(%q) = %q, %v", key, got, err)
				}
			}
			wantList(t, s, "a/../", "a/../b")
			wantList(t, s, "a//", "a//b")
			wantList(t, s, "/", "/a")
		})
	}
}

func TestDirectoryRefusesKeysThatItCannotKeepApart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, fileURL(dir))
	write(t, s, "a/b")
	var keyErr *store.KeyError
	for _, key := range []string{"/a", "a//c", "a/./b", "a/../b", "a/b/", "../b", ".", "a/.attrs", "b.attrs"} {
		if err := s.Write(t.Context(), key, nil); !errors.As(err, &keyErr) {
			t.Errorf("Write(%q) = %v, want a *KeyError", key, err)
		}
		if _, err := s.List(t.Context(), key+"/"); !errors.As(err, &keyErr) {
			t.Errorf("List(%q) = %v, want a *KeyError", key+"/", err)
		}
	}
	if _, err := s.List(t.Context(), "/"); !errors.As(err, &keyErr) {
		t.Errorf(`List("/") = %v, want a *KeyError`, err)
	}
	wantList(t, s, "", "a/b")
	if entries, err := os.ReadDir(dir); len(entries) != 1 || err != nil {
		t.Errorf("the directory holds %v, %v, want a alone", entries, err)
	}
}

func TestKeyMustBeUTF8AndNotEmpty(t *testing.T) {
	onEveryBucket(t, func(t *testing.T, s *store.Bucket) {
		var keyErr *store.KeyError
		for _, key := range []string{"", "a/\xff"} {
			_, read := s.Read(t.Context(), key)
			_, exists := s.Exists(t.Context(), key)
			for verb, err := range map[string]error{
				"Read": read, "Exists": exists,
				"Write":     s.Write(t.Context(), key, nil),
				"Delete":    s.Delete(t.Context(), key),
				"Copy from": s.Copy(t.Context(), key, "a"),
				"Copy to":   s.Copy(t.Context(), "a", key),
			} {
				if !errors.As(err, &keyErr) {
					t.Errorf("%s %q = %v, want a *KeyError", verb, key, err)
				}
			}
		}
		if _, err := s.List(t.Context(), "\xff/"); !errors.As(err, &keyErr) {
			t.Errorf("List = %v, want a *KeyError", err)
		}
	})
}

// In a directory, "d/x" is walked before "d-x" but sorts after it: see List.
func TestLongListingIsComplete(t *testing.T) {
	onEveryBucket(t, func(t *testing.T, s *store.Bucket) {
		var want []string
		for i := range 1010 { // more than a page
			key := fmt.Sprintf("d-%04d", i)
			if i >= 5 {
				key = fmt.Sprintf("d/%04d", i)
			}
			want = append(want, key)
		}
		write(t, s, want...)
		wantList(t, s, "", want...)
	})
}

func TestEndedContextStopsEveryOperation(t *testing.T) {
	onEveryBucket(t, func(t *testing.T, s *store.Bucket) {
		write(t, s, "a", "b")
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("why")
		cancel(why)
		for _, op := range operations {
			if err := op.call(ctx, s); !errors.Is(err, why) {
				t.Errorf("%s = %v, want the cause of the context", op.verb, err)
			}
		}
		wantList(t, s, "", "a", "b")
	})
}

// An operation is one of the six, on objects "a" and "b".
type operation struct {
	verb string
	call func(ctx context.Context, s store.Store) error
}

var operations = []operation{
	{"Write", func(ctx context.Context, s store.Store) error { return s.Write(ctx, "a", nil) }},
	{"Read", func(ctx context.Context, s store.Store) error { _, err := s.Read(ctx, "a"); return err }},
	{"Copy", func(ctx context.Context, s store.Store) error { return s.Copy(ctx, "a", "c") }},
	{"List", func(ctx context.Context, s store.Store) error { _, err := s.List(ctx, ""); return err }},
	{"Exists", func(ctx context.Context, s store.Store) error { _, err := s.Exists(ctx, "a"); return err }},
	{"Delete", func(ctx context.Context, s store.Store) error { return s.Delete(ctx, "b") }},
}

func TestSlowStoreTakesItsTimeForEveryOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bucket := open(t, "mem://")
		write(t, bucket, "a", "b")
		s := store.Slow(bucket, time.Second)
		for _, op := range operations {
			start := time.Now()
			if err := op.call(t.Context(), s); err != nil {
				t.Errorf("%s = %v", op.verb, err)
			}
			if took := time.Since(start); took != time.Second {
				t.Errorf("%s took %v, want 1s", op.verb, took)
			}
		}
	})
}

// A deaf store does not notice that its context has ended.
type deaf struct{ store.Store }

func (d deaf) Write(ctx context.Context, key string, data []byte) error {
	return d.Store.Write(context.WithoutCancel(ctx), key, data)
}

func (d deaf) Copy(ctx context.Context, src, dst string) error {
	return d.Store.Copy(context.WithoutCancel(ctx), src, dst)
}

func (d deaf) Delete(ctx context.Context, key string) error {
	return d.Store.Delete(context.WithoutCancel(ctx), key)
}

func TestSlowStoreGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bucket := open(t, "mem://")
		write(t, bucket, "a", "b")
		s := store.Slow(deaf{bucket}, time.Hour)
		for _, op := range operations {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := op.call(ctx, s); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s = %v, want the context's error", op.verb, err)
			}
		}
		wantList(t, bucket, "", "a", "b")
	})
}

func TestNoDelayIsTheStoreItself(t *testing.T) {
	s := open(t, "mem://")
	if got := store.Slow(s, 0); got != store.Store(s) {
		t.Errorf("Slow(s, 0) = %v, want s", got)
	}
}
