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

// TestLargeTableIsAuditedBesideSmallOnes has a table of a grant that is small, so that it alone
// would be due after each message.
func TestLargeTableIsAuditedBesideSmallOnes(t *testing.T) {
	l := startLoop(t)
	defer func() {
		if recover() == nil {
			t.Error("1,000 messages have come, and a table of 10,000 nodes was not audited")
		}
	}()
	for range 1000 {
		l.audit(brokenTable{nodes: 10_000}, soundTable{})
	}
}

type brokenTable struct{ nodes int }

func (brokenTable) Check() error  { return errors.New("I5: broken") }
func (brokenTable) NodeUses() int { return 0 }
func (t brokenTable) Nodes() int  { return t.nodes }

type soundTable struct{ brokenTable }

func (soundTable) Check() error { return nil }
