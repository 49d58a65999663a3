package job

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
)

// A ledger knows what each slot must hold. Operations note in it what they did while they still hold their
// request, so that under locks it is always right about every slot that the caller holds. Without locks it goes by the
// order in which operations ended, so that a stale folder may then come of two that merely overlapped; a torn or a
// mixed one is wrong by any order.
type ledger struct {
	mu   sync.Mutex
	want map[string]version // by the key of the slot; none if it must be empty
}

func newLedger() *ledger { return &ledger{want: make(map[string]version)} }

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

// filled says whether some slot of p must hold something.
func (l *ledger) filled(p place) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.holds(p)
}

func (l *ledger) holds(p place) bool {
	for _, slot := range p.slots {
		if l.want[slot].tree != nil {
			return true
		}
	}
	return false
}

// put notes the outcome of writing v to p.
func (l *ledger) put(err error, p place, v version) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.want[p.slots[0]] = v
	}
}

// remove notes the outcome of deleting p. It returns an error if that is not what should have come of it.
func (l *ledger) remove(err error, p place) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	wrong := l.dispute(err, p.key, l.holds(p), false)
	if err == nil {
		for _, slot := range p.slots {
			delete(l.want, slot)
		}
	}
	return wrong
}

// transfer notes the outcome of copying src to dst, or of renaming it if move. It returns an error if that
// is not what should have come of it.
func (l *ledger) transfer(err error, src, dst place, move bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	wrong := l.dispute(err, src.key, l.holds(src), l.holds(dst))
	if err != nil {
		return wrong
	}
	for i, slot := range src.slots {
		l.want[dst.slots[i]] = l.want[slot]
		if move {
			delete(l.want, slot)
		}
	}
	return wrong
}

// dispute compares the outcome of an operation on the folder key with the one that the ledger expects from a source
// that is there or not, and a destination that is there or not.
func (l *ledger) dispute(err error, key string, src, dst bool) error {
	switch {
	case err == nil && !src:
		return fmt.Errorf("%w: %q was there, though it must not be", errWrong, key)
	case err == nil && dst:
		return fmt.Errorf("%w: the destination for %q was free, though it must not be", errWrong, key)
	case errors.Is(err, fs.ErrNotExist) && src:
		return fmt.Errorf("%w: %q was not there, though it must be", errWrong, key)
	case errors.Is(err, fs.ErrExist) && !dst:
		return fmt.Errorf("%w: the destination for %q was taken, though it must not be", errWrong, key)
	}
	return nil
}

// errWrong says that an operation succeeded, or was refused, where by the ledger it must not.
var errWrong = errors.New("objectfs: an operation did not find what those before it left: guard folders by locks")
