// Package store is what a folder API needs of an object store: five operations on whole objects,
// none of which spans two of them. [Memory] is such a store; [Slow] and [Before] change any of
// them.
package store

import (
	"context"
	"time"
)

// A Store holds objects, each known by its key. It has no folders: a key such as "a/b" is one
// opaque name, and all that keys can have in common is a prefix.
//
// A missing object is an error that matches [io/fs.ErrNotExist]. An operation whose context has
// ended fails with the cause of that. A store is safe for concurrent use, and each call sees what
// earlier calls have written. Bytes that were read or written must not be changed.
type Store interface {
	// List returns every key that starts with prefix, sorted, each once.
	List(ctx context.Context, prefix string) ([]string, error)

	// Read returns the bytes of an object.
	Read(ctx context.Context, key string) ([]byte, error)

	// Write makes or replaces an object, at one instant.
	Write(ctx context.Context, key string, data []byte) error

	// Copy makes or replaces the object dst with the bytes of src, inside the store.
	Copy(ctx context.Context, src, dst string) error

	// Delete removes an object.
	Delete(ctx context.Context, key string) error
}

// Slow returns s with a delay before each operation, as a remote store has it. An operation whose
// context ends during the delay does nothing. A delay of zero or less returns s itself.
func Slow(s Store, delay time.Duration) Store {
	if delay <= 0 {
		return s
	}
	return Before(s, func(ctx context.Context, _ string) error {
		select {
		case <-time.After(delay):
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
}

// Before returns s with a call of before at the start of each operation. before gets the operation
// and its key or prefix: "copy a/b". If it fails, the operation fails with that error and does
// nothing.
func Before(s Store, before func(ctx context.Context, step string) error) Store {
	return &hooked{s, before}
}

type hooked struct {
	store  Store
	before func(ctx context.Context, step string) error
}

func (h *hooked) List(ctx context.Context, prefix string) ([]string, error) {
	if err := h.before(ctx, "list "+prefix); err != nil {
		return nil, err
	}
	return h.store.List(ctx, prefix)
}

func (h *hooked) Read(ctx context.Context, key string) ([]byte, error) {
	if err := h.before(ctx, "read "+key); err != nil {
		return nil, err
	}
	return h.store.Read(ctx, key)
}

func (h *hooked) Write(ctx context.Context, key string, data []byte) error {
	if err := h.before(ctx, "write "+key); err != nil {
		return err
	}
	return h.store.Write(ctx, key, data)
}

func (h *hooked) Copy(ctx context.Context, src, dst string) error {
	if err := h.before(ctx, "copy "+src); err != nil {
		return err
	}
	return h.store.Copy(ctx, src, dst)
}

func (h *hooked) Delete(ctx context.Context, key string) error {
	if err := h.before(ctx, "delete "+key); err != nil {
		return err
	}
	return h.store.Delete(ctx, key)
}
