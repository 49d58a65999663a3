package manager

import (
	"slices"

	"github.com/treelock/treelock"
)

// suspendCircle returns the error that refuses s if the wait of its caller closes a circle: if s
// waits for a grant of the caller, or for a request that waits for such a grant, directly or
// through others.
func (l *loop[N]) suspendCircle(s *suspension[N]) error {
	held := l.stillHeld(nil, s.under)
	if len(held) == 0 {
		return nil
	}
	switch steps := l.table.CircleTo(held, l.lastsFor, s.has); len(steps) {
	case 0:
		return nil
	case 1: // s waits for the caller itself
		return l.ownGrant("suspend", steps[0].Request)
	default:
		l.stats.Deadlocks++
		last := len(steps) - 1 // a grant of the caller
		err := l.deadlockError(slices.Concat(steps[last:], steps[:last]))
		err.Op = "suspend"
		return err
	}
}

// suspendsUntil reports whether the caller of a Suspend holds r and waits for next.
func (l *loop[N]) suspendsUntil(r, next *request[N]) bool {
	return slices.ContainsFunc(l.suspensions, func(s *suspension[N]) bool {
		return s.has(next) && slices.Contains(l.stillHeld(nil, s.under), r)
	})
}

// has reports whether the suspension waits for r or its widening.
func (s *suspension[N]) has(r *request[N]) bool {
	return s.live[r.Seq()] || r.Widening() != nil && s.live[r.Widening().Seq()]
}

// A suspensionGivenUp is the inspector that says that the caller of Suspend waits no longer.
type suspensionGivenUp[N treelock.Node[N]] struct{ *suspension[N] }

func (s suspensionGivenUp[N]) inspect(*loop[N]) { s.under = nil }
