package cluster

import (
	"context"
	"fmt"
	"slices"

	"github.com/treelock/treelock"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Guard returns a condition for a transaction of the caller in the same etcd cluster: it holds as
// long as g does. So a process that was paused after it looked at its grant writes nothing:
//
//	cmp, err := locks.Guard(ctx, grant)
//	resp, err := client.Txn(ctx).If(cmp).Then(clientv3.OpPut(key, value)).Commit()
//	// resp.Succeeded says whether the grant was held when etcd applied the transaction.
//
// The first call for a grant takes a round trip, and later ones send nothing. A sub-grant has the
// condition of the grant that it lies inside. What a grant with a guard held is free for other
// requests, also of this process, when etcd has deleted the guard: a round trip after its release.
// Such a grant cannot be narrowed any more: Narrow fails with [errors.ErrUnsupported], and the
// grant keeps what it holds. Narrow it before the first call of Guard, or release it and acquire
// less.
//
// The error is [treelock.ErrReleased], [treelock.ErrLost] or [treelock.ErrStopped] if g is over,
// [treelock.ErrNotHeld] if g is none of m, and that of ctx if ctx ends first. Then the grant may
// have a guard, and is held as before. Any goroutine may call Guard.
func (m *Manager) Guard(ctx context.Context, g treelock.Grant[treelock.Path]) (clientv3.Cmp, error) {
	if g.Engine() != m.Engine() {
		return clientv3.Cmp{}, fmt.Errorf("treelock: guard %v: it is none of this manager: %w", g, treelock.ErrNotHeld)
	}
	cmp, err := m.guard(ctx, g.Hold())
	if err != nil {
		return clientv3.Cmp{}, fmt.Errorf("treelock: guard %v: %w", g, err)
	}
	return cmp, nil
}

func (m *Manager) guard(ctx context.Context, h treelock.Hold) (cmp clientv3.Cmp, err error) {
	var key string
	var guarded, over chan struct{}
	if err := m.held(h, func(r *request) {
		guarded, over = m.log.guard(r), m.log.session.over
		key = m.keys.guard(m.log.session.lease, r.batch.n, r.index)
	}); err != nil {
		return cmp, err
	}
	select {
	case <-guarded:
	case <-over: // then the grant is lost
	case <-ctx.Done():
		return cmp, ctx.Err()
	}
	var revision int64
	if err := m.held(h, func(r *request) { revision = r.guardRevision }); err != nil {
		return cmp, err
	}
	if revision == 0 {
		// An attempt whose answer was lost has put the guard, so its revision must be read.
		resp, err := m.client.Get(ctx, key)
		if err != nil {
			return cmp, err
		}
		if len(resp.Kvs) == 0 {
			if err := m.held(h, func(*request) {}); err != nil {
				return cmp, err // it has ended in the meantime
			}
			return cmp, fmt.Errorf("its key %s was deleted, and not by the manager", key)
		}
		revision = resp.Kvs[0].ModRevision
	}
	return clientv3.Compare(clientv3.ModRevision(key), "=", revision), nil
}

// held runs f on the manager goroutine with the request of a grant, if that is held.
func (m *Manager) held(h treelock.Hold, f func(*request)) (err error) {
	if !m.log.mirror.Do(func() {
		var e *entry
		if e, err = m.log.mirror.Held(h); err == nil {
			f(e.Journal.(*request))
		}
	}) {
		return treelock.ErrStopped
	}
	return err
}

// guard asks for the guard of a request that is held. The channel is closed when etcd has it, or
// when the request ends before that; nothing is sent.
func (l *log) guard(r *request) chan struct{} {
	if r.guarded == nil {
		r.guarded = make(chan struct{})
		r.batch.guards = append(r.batch.guards, r)
		l.change(r.batch)
		l.urgent = true
	}
	return r.guarded
}

// guardedBy notes that the transaction of these requests has put their guards at a revision, 0 if
// it is not known.
func guardedBy(requests []*request, revision int64) {
	for _, r := range requests {
		r.guardRevision = revision
		close(r.guarded)
	}
}

// endGuarded ends a request with a guard: the next transaction deletes that. It returns false while
// the request must stay in the lock table.
func (l *log) endGuarded(r *request) bool {
	if l.session == nil || l.session.batches[r.batch.n] != r.batch {
		return true // the session is lost
	}
	b := r.batch
	if i := slices.Index(b.guards, r); i >= 0 { // not put yet
		b.guards = slices.Delete(b.guards, i, i+1)
		close(r.guarded)
		return true
	}
	r.unguarding = true
	b.unguarded = append(b.unguarded, r)
	return false
}

// endAll ends requests whose guards were deleted.
func (l *log) endAll(requests []*request) {
	for _, r := range requests {
		if !r.gone {
			r.gone = true
			r.batch.narrowed -= r.narrowedLen
			l.mirror.Ended(&r.entry)
		}
	}
	l.narrowAll()
}

// takeGuards adds the guards of b to t, as far as there is room, and reports whether there was. An
// amendment leaves out a request whose guard is not deleted in the same transaction: other
// processes would grant what it held, and its guard would still hold.
func (t *transaction) takeGuards(b *batch) bool {
	n := min(len(b.unguarded), max(0, maxGuards-len(t.guards)-len(t.unguarded)))
	for _, r := range b.unguarded[:n] {
		r.unguarding = false
	}
	t.unguarded = append(t.unguarded, b.unguarded[:n]...)
	b.unguarded = slices.Delete(b.unguarded, 0, n)
	n = min(len(b.guards), max(0, maxGuards-len(t.guards)-len(t.unguarded)))
	t.guards = append(t.guards, b.guards[:n]...)
	b.guards = slices.Delete(b.guards, 0, n)
	return len(b.unguarded)+len(b.guards) == 0
}
