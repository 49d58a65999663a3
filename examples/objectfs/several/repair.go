package main

import (
	"context"
	"strings"
)

// A kind of operation decides how another process ends it.
type kind string

const (
	renames kind = "rename" // copies all, and then deletes: to do it again completes it
	deletes kind = "delete" // to do it again completes it
	makes   kind = "make"   // copies or writes: the rest died with the process, so what there is goes
)

func kindOf(label string) kind {
	switch {
	case strings.HasPrefix(label, "rename "):
		return renames
	case strings.HasPrefix(label, "delete "):
		return deletes
	}
	return makes
}

// ending says what taking over an operation comes to.
func (k kind) ending() string {
	switch k {
	case renames:
		return "completed the rename"
	case deletes:
		return "completed the deletion"
	}
	return "deleted what was written"
}

// repair ends an operation of kind k that was writing folders. It can be done again and again.
func repair(ctx context.Context, r *remote, k kind, folders []string) error {
	src := folders[0]
	keys, err := r.List(ctx, src)
	if err != nil {
		return err
	}
	if k == renames {
		// The source is whole unless the destination is.
		for _, key := range keys {
			if err := r.Copy(ctx, key, folders[1]+strings.TrimPrefix(key, src)); err != nil {
				return err
			}
		}
	}
	for _, key := range keys {
		if err := r.Delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}
