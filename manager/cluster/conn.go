package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/journal"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A conn has the goroutines of a session, and what they share.
type conn struct {
	*Manager
	session  *session
	leaseTTL time.Duration // that etcd has granted
	cluster  uint64        // the id of the etcd cluster

	cancel  context.CancelFunc
	exited  chan struct{} // each goroutine sends when it has ended; it has room for all of them
	started int           // goroutines

	// rewatch: from the goroutines that renew the lease and commit to that which watches, never
	// closed. It has room for one.
	rewatch chan struct{}
	// streams: between renewals, never closed. It has room for the one that is open.
	streams  chan stream
	listedAt int64 // the revision of the latest list; owned by the goroutine that watches
}

// do runs f on the manager goroutine, unless the session is over. It returns false if the manager
// has stopped.
func (c *conn) do(f func()) bool {
	return c.mirror().Do(func() {
		if c.log.session == c.session {
			f()
		}
	})
}

// learn does f with what etcd has answered. If etcd was restored as docs/cluster.md advises, the id
// of the cluster tells: then nothing else of the answer counts, and the session is lost.
func (c *conn) learn(cluster uint64, f func()) bool {
	return c.do(func() {
		if cluster != c.cluster {
			c.log.lose(errRestored)
			return
		}
		f()
	})
}

// mirror returns the mirror, which is set when the manager starts.
func (c *conn) mirror() journal.Mirror[treelock.Path] { return c.log.mirror }

// run opens one session after the other, until the manager has stopped. At the end it waits for the
// goroutines of the revocations.
func (m *Manager) run(c *conn, asked func()) {
	defer close(m.ended)
	defer asked()
	for c != nil {
		<-c.session.over
		c.giveNotice()
		c.close()
		c = m.reopen()
	}
}

// reopen opens the next session. It tries until it succeeds, and returns nil if the manager stops
// first.
func (m *Manager) reopen() *conn {
	for wait := attemptPause; m.life.Err() == nil; wait = min(2*wait, time.Second) {
		ctx, cancel := context.WithTimeout(m.life, m.ttl)
		c, err := m.openNext(ctx)
		cancel()
		if err == nil {
			return c
		}
		m.report("no new lease", err)
		pause(m.life, wait)
	}
	return nil
}

// openNext opens a session after the first. If etcd was restored, tokens may be smaller than
// before: then openNext fails until the revision is as late as it was.
func (m *Manager) openNext(ctx context.Context) (*conn, error) {
	header, version, err := m.checkFormat(ctx)
	if err != nil {
		return nil, err
	}
	var known int64
	m.log.mirror.Do(func() { known = m.log.newest })
	if header.Revision < known {
		return nil, fmt.Errorf("%w: its revision is %d, and was %d", errRestored, header.Revision, known)
	}
	return m.open(ctx, header.ClusterId, version)
}

// open begins a session, within ctx: a lease, the control key, the watch and the list. The prefix
// has that version of the format. The goroutines of the session live until it is over.
func (m *Manager) open(ctx context.Context, cluster uint64, version int) (*conn, error) {
	granted, err := attempts(ctx, m.client, m.grantLease, ifUnavailable)
	if err != nil {
		return nil, fmt.Errorf("grant a lease: %w", err)
	}
	lease := granted.id
	c := &conn{Manager: m, cluster: cluster, leaseTTL: granted.ttl,
		exited: make(chan struct{}, 3), rewatch: make(chan struct{}, 1), streams: make(chan stream, 1)}
	if err := m.writeControl(ctx, lease); err != nil {
		m.revokeLease(lease)
		return nil, fmt.Errorf("write the control key: %w", err)
	}
	if !m.log.mirror.Do(func() {
		c.session = m.log.begin(lease, deadlineOf(granted.sent, granted.ttl))
		c.session.dated = version > formatUndated
		m.log.conn = c
	}) {
		m.revokeLease(lease)
		return nil, treelock.ErrStopped
	}
	if err := c.serve(ctx); err != nil {
		c.do(func() { m.log.lose(err) })
		c.close()
		return nil, err
	}
	return c, nil
}

// A grantedLease is a lease as etcd has granted it.
type grantedLease struct {
	id   int64
	sent time.Time // when it was asked for
	ttl  time.Duration
}

// grantLease asks for a lease. Several calls at once bring several: those that are not used end by
// themselves.
func (m *Manager) grantLease(ctx context.Context) (grantedLease, error) {
	sent := time.Now()
	granted, err := m.client.Grant(ctx, int64((m.options.ttl+time.Second-1)/time.Second))
	if err != nil {
		return grantedLease{}, err
	}
	return grantedLease{int64(granted.ID), sent, time.Duration(granted.TTL) * time.Second}, nil
}

// writeControl writes the control key of a new session. It does nothing if the key is there: an
// attempt that etcd applies late must not bring back the number 0.
func (m *Manager) writeControl(ctx context.Context, lease int64) error {
	key := m.keys.control(lease)
	absent := clientv3.Compare(clientv3.CreateRevision(key), "=", 0)
	_, err := m.doIf(ctx, absent, clientv3.OpPut(key, "0", clientv3.WithLease(clientv3.LeaseID(lease))))
	return err
}

// serve starts the goroutines of the session, and waits for the first list.
func (c *conn) serve(ctx context.Context) error {
	run, cancel := context.WithCancel(c.life)
	c.cancel = cancel
	listed := make(chan struct{})
	first := true
	c.start(func() { c.commitAll(run) })
	c.start(func() { c.keep(run, c.deadline()) })
	c.start(func() {
		c.watchAll(run, func() {
			if first {
				close(listed)
				first = false
			}
		})
	})
	select {
	case <-listed:
		return nil
	case <-c.session.over:
		return errors.New("the lease was lost at once")
	case <-ctx.Done():
		return fmt.Errorf("watch and list the requests: %w", ctx.Err())
	}
}

func (c *conn) start(f func()) {
	c.started++
	go func() {
		defer func() { c.exited <- struct{}{} }()
		f()
	}()
}

// deadline returns the deadline of the session.
func (c *conn) deadline() (d time.Time) {
	c.mirror().Do(func() { d = c.session.deadline })
	return d
}

// giveNotice waits, after the deadline of the session, until its lease would have ended: so that
// the holders have the margin to learn of the loss, before another process is granted what they
// held.
func (c *conn) giveNotice() {
	if left(c.session.deadline, time.Now()) <= 0 {
		pause(c.life, left(c.session.deadline.Add(margin(c.leaseTTL)), time.Now()))
	}
}

// close ends the goroutines of a session that is over, and its lease. Until then other processes
// treat its requests as live.
func (c *conn) close() {
	c.cancel()
	for range c.started {
		<-c.exited
	}
	c.endStream()
	c.revokeLease(c.session.lease)
}

// revokeLease ends a lease, so that others need not wait for its end. It is a courtesy, and has a
// second, also when the manager has stopped.
func (m *Manager) revokeLease(lease int64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(m.life), time.Second)
	defer cancel()
	_, err := m.client.Revoke(ctx, clientv3.LeaseID(lease))
	if err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) { // it has ended
		m.report("the lease ends by itself", err)
	}
}
