package dav

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/webdav/internal/davlock"
	"github.com/treelock/treelock/examples/webdav/internal/files"
	"github.com/treelock/treelock/manager"
)

// A patientSystem renames when its context ends, and keeps the cause.
type patientSystem struct {
	files.System
	began chan struct{}
	cause error
}

func (p *patientSystem) Rename(ctx context.Context, _, _ string) error {
	close(p.began)
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Second): // for a test that fails
	}
	p.cause = context.Cause(ctx)
	return p.cause
}

// A method whose grant is lost is told to end, and says that it did not end well.
func TestMethodEndsWhenItsGrantIsLost(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	system := &patientSystem{System: r.handler.Files, began: make(chan struct{})}
	c := r.handler.Config
	c.Files = system
	r.handler = New(c)
	go func() {
		<-system.began
		s, err := r.locks.Snapshot(t.Context(), manager.Query[Path]{})
		if err != nil {
			t.Error(err)
		}
		for _, holder := range s.Holders {
			if err := r.locks.Revoke(t.Context(), holder.Number, nil); err != nil && !errors.Is(err, treelock.ErrNotHeld) {
				t.Error(err)
			}
		}
	}()
	r.do(503, "MOVE /a/f", "Destination: /b/f")
	if !errors.Is(system.cause, treelock.ErrLost) {
		t.Errorf("the context ends for %v, want ErrLost", system.cause)
	}
	r.holds("/a/f", "old")
}
