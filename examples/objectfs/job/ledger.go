package job

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
)

// errWrong means that an operation succeeded, or was refused, where by the ledger it must not.
var errWrong = errors.New("objectfs: an operation did not find what earlier ones left")

// A ledger knows what each slot must hold. Operations record their outcome in it while they hold
// their request, so under locks it is right about every slot that the caller holds. Without locks
// it has the order in which operations ended, so that two that merely overlapped may leave a
// stale folder; a torn or mixed one is wrong by any order.
type ledger struct {
	mu   sync.Mutex
	want map[string]version // by the key of the slot; none if it must be empty
}

// versions returns what the slots of p must hold, in their order.
func (l *ledger) versions(p place) []version {
	l.mu.Lock()
	defer l.mu.Unlock()
	versions := make([]version, len(p.slots))
	for i, slot := range p.slots {
		versions[i] = l.want[slot]
	}
	return versions
}

// filled reports whether some slot of p must hold something.
func (l *ledger) filled(p place) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.holds(p)
}

func (l *ledger) holds(p place) bool {
	return slices.ContainsFunc(p.slots, func(slot string) bool { return l.want[slot].tree != nil })
}

// put records the outcome of writing v to the slot p.
func (l *ledger) put(err error, p place, v version) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.want[p.key] = v
	}
}

// transfer records the outcome of copying src to dst if keep, of renaming it if not, and of
// deleting it if dst is the zero place. It returns an error if that is a wrong outcome.
func (l *ledger) transfer(err error, src, dst place, keep bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	wrong := l.dispute(err, src, dst)
	if err != nil {
		return wrong
	}
	for i, slot := range src.slots {
		if len(dst.slots) > 0 {
			l.want[dst.slots[i]] = l.want[slot]
		}
		if !keep {
			delete(l.want, slot)
		}
	}
	return wrong
}

// dispute compares the outcome of an operation with the one that the ledger expects.
func (l *ledger) dispute(err error, src, dst place) error {
	there, taken := l.holds(src), l.holds(dst)
	switch {
	case err == nil && !there:
		return fmt.Errorf("%w: %q was there, though it must not be", errWrong, src.key)
	case err == nil && taken:
		return fmt.Errorf("%w: %q was free, though it must not be", errWrong, dst.key)
	case errors.Is(err, fs.ErrNotExist) && there:
		return fmt.Errorf("%w: %q was not there, though it must be", errWrong, src.key)
	case errors.Is(err, fs.ErrExist) && !taken:
		return fmt.Errorf("%w: %q was taken, though it must not be", errWrong, dst.key)
	}
	return nil
}
