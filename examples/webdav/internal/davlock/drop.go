package davlock

import (
	"context"
	"time"
)

// dropTime is how long Drop waits for the store.
const dropTime = 10 * time.Second

// Drop ends the locks whose root is below p, and with self those at p. The resources are gone, so
// it does not end with ctx, and cannot fail: a record that cannot be deleted in ten seconds is
// deleted later.
func (t *Table) Drop(ctx context.Context, p Path, self bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropTime)
	defer cancel()
	var gone []*lock
	_ = t.do(func(s *state) { // else all have ended
		for _, l := range s.locks {
			if p.Contains(l.Root) && (self || l.Root != p) {
				gone = append(gone, l)
			}
		}
	})
	for _, l := range gone {
		if t.end(ctx, l) != nil {
			_ = t.do(func(s *state) { s.remove(l) })
			go t.forget(l.token)
		}
	}
}

// end ends a lock: first its record, so that no server finds a record without a lock.
func (t *Table) end(ctx context.Context, l *lock) (err error) {
	var revision int64
	if t.store != nil {
		if revision, err = t.store.Delete(ctx, l.token); err != nil {
			return err
		}
	}
	return t.do(func(s *state) { s.stored(revision); s.remove(l) })
}
