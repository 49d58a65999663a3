//go:build race || treelock_audit

package manager

import (
	"errors"
	"strings"
	"testing"
)

const audited = true

func TestStateOfTheManagerIsGuardedAgainstOtherGoroutines(t *testing.T) {
	l := startLoop(t)
	complaint := make(chan any)
	go func() {
		defer func() { complaint <- recover() }()
		l.drain()
	}()
	if got, _ := (<-complaint).(string); !strings.HasPrefix(got, "BUG: ") {
		t.Errorf("on another goroutine, drain() panicked with %q, want a BUG", got)
	}
}

func TestBrokenInvariantIsFound(t *testing.T) {
	l := startLoop(t)
	defer func() {
		if got, _ := recover().(string); got != "BUG: treelock: I5: broken" {
			t.Errorf("audit() panicked with %q, want a BUG that names I5", got)
		}
	}()
	l.audit(brokenTable{})
}

type brokenTable struct{}

func (brokenTable) Check() error  { return errors.New("I5: broken") }
func (brokenTable) NodeUses() int { return 0 }
func (brokenTable) Nodes() int    { return 0 }
