package folder_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/treelock/treelock/examples/objectfs/folder"
	"github.com/treelock/treelock/examples/objectfs/lock"
	"github.com/treelock/treelock/manager"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A ram is a store in memory whose keys may be any bytes. before, if set, is called at the start of each
// operation, and may wait, or make it fail.
type ram struct {
	before func(ctx context.Context, step string) error

	mu      sync.Mutex
	objects map[string]string
}

// newRAM returns a store with an object for each of keys, whose bytes are its key.
func newRAM(keys ...string) *ram {
	s := &ram{objects: make(map[string]string)}
	for _, key := range keys {
		s.objects[key] = key
	}
	return s
}

// enter is the start of every operation. It must be followed by an unlock, unless it fails.
func (s *ram) enter(ctx context.Context, verb, key string) error {
	if s.before != nil {
		if err := s.before(ctx, verb+" "+key); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s.mu.Lock()
	return nil
}

func (s *ram) List(ctx context.Context, prefix string) ([]string, error) {
	if err := s.enter(ctx, "list", prefix); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	keys := slices.Sorted(maps.Keys(s.objects))
	return slices.DeleteFunc(keys, func(key string) bool { return !strings.HasPrefix(key, prefix) }), nil
}

func (s *ram) Exists(ctx context.Context, key string) (bool, error) {
	if err := s.enter(ctx, "exists", key); err != nil {
		return false, err
	}
	defer s.mu.Unlock()
	_, ok := s.objects[key]
	return ok, nil
}

func (s *ram) Read(ctx context.Context, key string) ([]byte, error) {
	if err := s.enter(ctx, "read", key); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	data, ok := s.objects[key]
	return []byte(data), missing(key, ok)
}

func (s *ram) Write(ctx context.Context, key string, data []byte) error {
	if err := s.enter(ctx, "write", key); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.objects[key] = string(data)
	return nil
}

func (s *ram) Copy(ctx context.Context, src, dst string) error {
	if err := s.enter(ctx, "copy", src); err != nil {
		return err
	}
	defer s.mu.Unlock()
	data, ok := s.objects[src]
	if ok {
		s.objects[dst] = data
	}
	return missing(src, ok)
}

func (s *ram) Delete(ctx context.Context, key string) error {
	if err := s.enter(ctx, "delete", key); err != nil {
		return err
	}
	defer s.mu.Unlock()
	_, ok := s.objects[key]
	delete(s.objects, key)
	return missing(key, ok)
}

func missing(key string, ok bool) error {
	if !ok {
		return fmt.Errorf("ram: %q: %w", key, fs.ErrNotExist)
	}
	return nil
}

// want checks all that the store holds, as "key=bytes", or "key" where the bytes are the key.
func (s *ram) want(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, s.dump()); diff != "" {
		t.Errorf("the store: -want +got\n%s", diff)
	}
}

func (s *ram) dump() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		if data := s.objects[key]; data != key {
			key += "=" + data
		}
		all = append(all, key)
	}
	return all
}

// locked returns the folder API over s, guarded by a manager that ends with the test.
func locked(t *testing.T, s *ram) *folder.FS {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	m := manager.Start(ctx)
	t.Cleanup(func() { cancel(); <-m.Done() })
	return folder.New(s, lock.Tree(m))
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
