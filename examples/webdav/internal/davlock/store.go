package davlock

import (
	"context"
	"time"

	"github.com/treelock/treelock"
)

// A Record is what several servers know of a lock.
type Record struct {
	Spec
	Token    string
	Revision int64 `json:"-"` // of the store, when the record was written; a refresh writes it again
}

// A Store has the records of several servers. The records of a server that dies go away.
type Store interface {
	// Records returns all records, and the revision of the store that has them. They are those of a
	// moment between the call and its return.
	Records(ctx context.Context) (records []Record, revision int64, err error)

	// Add writes the record of a new lock, if its grant is held at that moment.
	Add(ctx context.Context, r Record, grant treelock.Grant[Path]) (revision int64, err error)

	// Replace writes a record again, if it is still that of r.Revision. The error is ErrNoLock
	// else.
	Replace(ctx context.Context, r Record) (revision int64, err error)

	// Delete deletes a record, if it is there.
	Delete(ctx context.Context, token string) (revision int64, err error)

	// Changed returns a channel that receives when records may have changed. It has room for one.
	Changed() <-chan struct{}
}

// Sync makes the table know all locks of all servers, as of a moment between the call and its
// return. A method calls it when it holds its claims. Without a store it does nothing.
func (t *Table) Sync(ctx context.Context) error {
	for t.store != nil {
		records, revision, err := t.store.Records(ctx)
		if err != nil {
			return err
		}
		current := false
		// What was read before a later change is not applied: it would undo that change.
		if err := t.do(func(s *state) { current = s.apply(records, revision) }); err != nil || current {
			return err
		}
	}
	return nil
}

// follow applies changes of other servers, so that what they end is released here.
func (t *Table) follow(ctx context.Context) {
	for {
		select {
		case <-t.store.Changed():
			_ = t.Sync(ctx) // the methods call it as well, and tell of errors
		case <-ctx.Done():
			return
		}
	}
}

// apply makes the table that of the records. It reports false, and changes nothing, if the table is
// that of a later revision. On the goroutine of the table, as all functions below.
func (s *state) apply(records []Record, revision int64) bool {
	if revision < s.revision {
		return false
	}
	s.revision = revision
	present := make(map[string]bool, len(records))
	for _, r := range records {
		present[r.Token] = true
		l := s.locks[r.Token]
		if l == nil {
			l = &lock{Spec: r.Spec, token: r.Token, remote: true, ended: make(chan struct{}), renewed: make(chan struct{}, 1)}
			s.insert(l)
		}
		if l.revision != r.Revision && (l.remote || l.revision != 0) {
			l.renew(r.Timeout, r.Revision)
		}
	}
	for _, l := range s.locks {
		if l.revision != 0 && !present[l.token] {
			s.remove(l)
		}
	}
	return true
}

// stored notes that this server has changed a record.
func (s *state) stored(revision int64) { s.revision = max(s.revision, revision) }

// renew gives the lock a new time.
func (l *lock) renew(timeout time.Duration, revision int64) {
	l.Timeout, l.deadline, l.revision = timeout, time.Now().Add(timeout), revision
	select {
	case l.renewed <- struct{}{}:
	default:
	}
}

// forget deletes the record of a lock that has ended. It tries until it can, or the table ends: the
// lock would refuse others on all servers.
func (t *Table) forget(token string) {
	if t.store == nil {
		return
	}
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, dropTime) {
		ctx, cancel := context.WithTimeout(context.Background(), dropTime)
		revision, err := t.store.Delete(ctx, token)
		cancel()
		if err == nil {
			_ = t.do(func(s *state) { s.stored(revision) })
			return
		}
		select {
		case <-time.After(pause):
		case <-t.done:
			return
		}
	}
}
