// Package store is what a folder API needs of an object store: six operations on whole objects, none of
// which spans two of them. [Bucket] gives them for any bucket of gocloud.dev/blob, [Slow] makes any
// store as slow as a remote one.
package store

import (
	"context"
	"time"
)

// A Store holds objects, each known by its key. It has no folders: a key such as "a/b" is one opaque
// name, and a prefix of keys is all there is.
//
// A missing object is an error that matches [io/fs.ErrNotExist]. A store is safe for concurrent use,
// and what one call has written every later call sees.
type Store interface {
	// List returns every key that starts with prefix, sorted, each once.
	List(ctx context.Context, prefix string) ([]string, error)

	// Exists says whether there is an object with this very key.
	Exists(ctx context.Context, key string) (bool, error)

	// Read returns the bytes of an object.
	Read(ctx context.Context, key string) ([]byte, error)

	// Write makes or replaces an object. It does so at once: no reader sees half of it.
	Write(ctx context.Context, key string, data []byte) error

	// Copy makes or replaces the object dst with the bytes of src, inside the store.
	Copy(ctx context.Context, src, dst string) error

	// Delete removes an object.
	Delete(ctx context.Context, key string) error
}

// Slow returns s with a delay before each operation, as a remote store has it. A delay that its context
// cuts short ends with the context's error and does nothing. A delay of zero or less returns s itself.
func Slow(s Store, delay time.Duration) Store {
	if delay <= 0 {
		return s
	}
	return &slow{s, delay}
}

type slow struct {
	store Store
	delay time.Duration
}

func (s *slow) wait(ctx context.Context) error {
	timer := time.NewTimer(s.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *slow) List(ctx context.Context, prefix string) ([]string, error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	return s.store.List(ctx, prefix)
}

func (s *slow) Exists(ctx context.Context, key string) (bool, error) {
	if err := s.wait(ctx); err != nil {
		return false, err
	}
	return s.store.Exists(ctx, key)
}

func (s *slow) Read(ctx context.Context, key string) ([]byte, error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	return s.store.Read(ctx, key)
}

func (s *slow) Write(ctx context.Context, key string, data []byte) error {
	if err := s.wait(ctx); err != nil {
		return err
	}
	return s.store.Write(ctx, key, data)
}

func (s *slow) Copy(ctx context.Context, src, dst string) error {
	if err := s.wait(ctx); err != nil {
		return err
	}
	return s.store.Copy(ctx, src, dst)
}

func (s *slow) Delete(ctx context.Context, key string) error {
	if err := s.wait(ctx); err != nil {
		return err
	}
	return s.store.Delete(ctx, key)
}
