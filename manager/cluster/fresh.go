package cluster

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// FreshSnapshot is [manager.Manager.Snapshot] of what etcd knows at a moment between the call and
// its return, as [Manager.Check] does it. A Snapshot alone shows what this process has heard of
// other processes, which is nothing while there is no lease.
func (m *Manager) FreshSnapshot(
	ctx context.Context, q manager.Query[treelock.Path],
) (s *manager.Snapshot[treelock.Path], err error) {
	err = m.whileFresh(ctx, "snapshot", func() (err error) {
		s, err = m.Manager.Snapshot(ctx, q)
		return err
	})
	return s, err
}

// whileFresh calls look when the mirror is as far as the log was at a moment of the call. If the
// session is lost meanwhile the mirror was empty for a while, so look is called again. It returns
// the error of look, or one that says why the mirror cannot be brought up to date, for op.
func (m *Manager) whileFresh(ctx context.Context, op string, look func() error) error {
	for {
		s, err := m.catchUp(ctx)
		if err != nil {
			return fmt.Errorf("treelock: %s: %w", op, err)
		}
		err = look()
		same := false
		if !m.log.mirror.Do(func() { same = m.log.session == s }) || same {
			return err
		}
	}
}

// catchUp waits until the mirror is as far as the log was at a moment of the call. It returns the
// session in which it is.
func (m *Manager) catchUp(ctx context.Context) (*session, error) {
	resp, err := m.client.Get(ctx, m.keys.meta())
	if err != nil {
		return nil, err
	}
	var c *conn
	if !m.log.mirror.Do(func() { c = m.log.conn }) {
		return nil, treelock.ErrStopped
	}
	if c == nil {
		return nil, errNoSession
	}
	return c.session, c.catchUp(ctx, resp.Header.Revision)
}

// catchUp waits until the mirror has the log up to a revision. etcd says how far a watch is when it
// is asked: without events below the prefix it would say nothing.
func (c *conn) catchUp(ctx context.Context, revision int64) error {
	w := revisionWaiter{revision, make(chan struct{})}
	wait := func() {
		c.log.waiters = append(c.log.waiters, w)
		c.log.reached(0)
	}
	if !c.mirror().Do(wait) {
		return treelock.ErrStopped
	}
	defer c.mirror().Do(func() {
		c.log.waiters = slices.DeleteFunc(c.log.waiters, func(v revisionWaiter) bool { return v == w })
	})
	again := time.NewTicker(progressInterval)
	defer again.Stop()
	for !isClosed(w.reached) {
		c.requestProgress(ctx)
		select {
		case <-w.reached:
		case <-again.C:
		case <-c.session.over:
			return errNoSession
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

const progressInterval = 200 * time.Millisecond

// requestProgress asks etcd to say how far the watch is.
func (c *conn) requestProgress(ctx context.Context) {
	var watcher clientv3.Watcher
	if !c.mirror().Do(func() { watcher = c.log.watcher }) || watcher == nil {
		return
	}
	ctx, cancel := context.WithTimeout(watchContext(ctx), progressInterval)
	defer cancel()
	watcher.RequestProgress(ctx) // it is asked again
}

// isClosed reports whether a channel on which nothing is sent is closed.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// A revisionWaiter waits until the mirror has the log up to a revision.
type revisionWaiter struct {
	revision int64
	reached  chan struct{} // closed by the manager goroutine, nothing is sent
}

// reached notes that the mirror has the log up to a revision. Without a session it has nothing.
func (l *log) reached(revision int64) {
	if l.session == nil {
		return
	}
	l.revision = max(l.revision, revision)
	l.waiters = slices.DeleteFunc(l.waiters, func(w revisionWaiter) bool {
		if w.revision <= l.revision {
			close(w.reached)
			return true
		}
		return false
	})
}

// revision returns that up to which the mirror has the log.
func (c *conn) revision() (revision int64) {
	c.mirror().Do(func() { revision = c.log.revision })
	return revision
}

// checkFresh lets the watch be opened again if the mirror does not reach a revision soon. It takes
// at most half of the time until the next renewal.
func (c *conn) checkFresh(ctx context.Context, revision int64) {
	wait, cancel := context.WithTimeout(ctx, min(c.leaseTTL/6, time.Second))
	defer cancel()
	if c.catchUp(wait, revision) != nil && ctx.Err() == nil {
		c.reopenWatch()
	}
}

// reopenWatch lets the watch be opened again, unless that is to be done already.
func (c *conn) reopenWatch() {
	select {
	case c.rewatch <- struct{}{}:
	default:
	}
}
