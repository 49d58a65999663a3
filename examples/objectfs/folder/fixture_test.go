package folder_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/treelock/treelock/examples/objectfs/folder"
	"github.com/treelock/treelock/examples/objectfs/lock"
	"github.com/treelock/treelock/examples/objectfs/store"
	"github.com/treelock/treelock/manager"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A fixture is a folder API over a store in memory.
type fixture struct {
	*folder.FS
	objects *store.Memory
	before  func(ctx context.Context, step string) error // unless nil; see store.Before
}

// guarded returns a fixture with an object for each of keys, whose bytes are its key.
func guarded(t *testing.T, locks lock.Locker, keys ...string) *fixture {
	t.Helper()
	f := &fixture{objects: store.NewMemory()}
	for _, key := range keys {
		ok(t, f.objects.Write(t.Context(), key, []byte(key)))
	}
	f.FS = folder.New(store.Before(f.objects, func(ctx context.Context, step string) error {
		if f.before == nil {
			return nil
		}
		return f.before(ctx, step)
	}), locks)
	return f
}

// locked is guarded by a manager that ends with the test.
func locked(t *testing.T, keys ...string) *fixture {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	m := manager.Start(ctx)
	t.Cleanup(func() { cancel(); <-m.Done() })
	return guarded(t, lock.Tree(m), keys...)
}

// held returns all that the store holds, as "key=bytes", or "key" where the bytes are the key.
func (f *fixture) held(t *testing.T) []string {
	t.Helper()
	keys, err := f.objects.List(context.Background(), "")
	ok(t, err)
	for i, key := range keys {
		data, err := f.objects.Read(context.Background(), key)
		ok(t, err)
		if string(data) != key {
			keys[i] += "=" + string(data)
		}
	}
	return keys
}

func (f *fixture) want(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, f.held(t)); diff != "" {
		t.Errorf("the store: -want +got\n%s", diff)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want one that matches %q", err, want)
	}
	if err != nil && !strings.HasPrefix(err.Error(), "objectfs: ") {
		t.Errorf("error %q does not start with %q", err, "objectfs: ")
	}
}
