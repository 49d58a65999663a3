package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/journal"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A conn has the goroutines of a session, and what they share.
type conn struct {
	*Manager
	session *session
	ttl     time.Duration // that etcd has granted

	cancel  context.CancelFunc
	ended   chan struct{} // each goroutine sends when it has ended; it has room for all of them
	started int           // goroutines

	// reopen: from the goroutine that renews the lease to that which watches, never closed. It has
	// room for one.
	reopen   chan struct{}
	listedAt int64 // the revision of the latest list; owned by the goroutine that watches
}

// mirror returns the mirror, which is set when the manager starts.
func (c *conn) mirror() journal.Mirror[treelock.Path] { return c.log.mirror }

// open begins a session, within ctx: a lease, the control key, the watch and the list. Its
// goroutines live until the session is over.
func (m *Manager) open(ctx context.Context) (*conn, error) {
	var sent time.Time
	granted, err := attempts(ctx, m.client, func(ctx context.Context) (*clientv3.LeaseGrantResponse, error) {
		sent = time.Now()
		return m.client.Grant(ctx, int64((m.options.ttl+time.Second-1)/time.Second))
	}, ifUnavailable)
	if err != nil {
		return nil, fmt.Errorf("grant a lease: %w", err)
	}
	lease, ttl := int64(granted.ID), time.Duration(granted.TTL)*time.Second
	c := &conn{Manager: m, ttl: ttl, ended: make(chan struct{}, 3), reopen: make(chan struct{}, 1)}
	if err := m.writeControl(ctx, lease); err != nil {
		m.revokeLease(lease)
		return nil, fmt.Errorf("write the control key: %w", err)
	}
	if !m.log.mirror.Do(func() {
		c.session = m.log.begin(lease, deadlineOf(sent, ttl))
		m.log.conn = c
	}) {
		m.revokeLease(lease)
		return nil, treelock.ErrStopped
	}
	if err := c.serve(ctx); err != nil {
		m.log.mirror.Do(func() {
			if m.log.session == c.session {
				m.log.lose(err)
			}
		})
		c.close()
		return nil, err
	}
	return c, nil
}

// writeControl writes the control key of a new session. It does nothing if the key is there: an
// attempt that etcd applies late must not bring back the number 0.
func (m *Manager) writeControl(ctx context.Context, lease int64) error {
	key := m.keys.control(lease)
	absent := clientv3.Compare(clientv3.CreateRevision(key), "=", 0)
	put := clientv3.OpPut(key, "0", clientv3.WithLease(clientv3.LeaseID(lease)))
	_, err := attempts(ctx, m.client, func(ctx context.Context) (*clientv3.TxnResponse, error) {
		return m.client.Txn(ctx).If(absent).Then(put).Commit()
	}, ifUnavailable)
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
		defer func() { c.ended <- struct{}{} }()
		f()
	}()
}

// deadline returns the deadline of the session.
func (c *conn) deadline() (d time.Time) {
	c.mirror().Do(func() { d = c.session.deadline })
	return d
}

// close ends the goroutines of a session that is over, and its lease. Until then other processes
// treat its requests as live.
func (c *conn) close() {
	c.cancel()
	for range c.started {
		<-c.ended
	}
	c.revokeLease(c.session.lease)
}

// revokeLease ends a lease, so that others need not wait for its end. It is a courtesy, and has a
// second, also when the manager has stopped.
func (m *Manager) revokeLease(lease int64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(m.life), time.Second)
	defer cancel()
	if _, err := m.client.Revoke(ctx, clientv3.LeaseID(lease)); err != nil {
		m.report("the lease ends by itself", err)
	}
}

// meta is the value of ns/meta.
type meta struct {
	Format  int    `json:"format"`
	Cluster string `json:"cluster"` // the id of the etcd cluster
}

// checkFormat writes ns/meta if there is none, and compares it otherwise. It also finds out whether
// the user may read and write below the prefix: etcd checks the permissions of operations in a
// branch that is not taken.
func (m *Manager) checkFormat(ctx context.Context) error {
	read, err := attempts(ctx, m.client, func(ctx context.Context) (*clientv3.GetResponse, error) {
		return m.client.Get(ctx, m.keys.ns+"/", clientv3.WithPrefix(), clientv3.WithLimit(1))
	}, ifUnavailable)
	if err != nil {
		return fmt.Errorf("read below the prefix: %w", err)
	}
	want := meta{format, fmt.Sprintf("%016x", read.Header.ClusterId)}
	value, err := json.Marshal(want)
	if err != nil {
		return err
	}
	key := m.keys.meta()
	never := clientv3.Compare(clientv3.CreateRevision(key), "<", 0)
	if _, err := attempts(ctx, m.client, func(ctx context.Context) (*clientv3.TxnResponse, error) {
		return m.client.Txn(ctx).If(never).Then(clientv3.OpDelete(m.keys.ns+"/", clientv3.WithPrefix())).Commit()
	}, ifUnavailable); err != nil {
		return fmt.Errorf("write below the prefix: %w", err)
	}
	absent := clientv3.Compare(clientv3.CreateRevision(key), "=", 0)
	resp, err := attempts(ctx, m.client, func(ctx context.Context) (*clientv3.TxnResponse, error) {
		return m.client.Txn(ctx).If(absent).Then(clientv3.OpPut(key, string(value))).Else(clientv3.OpGet(key)).Commit()
	}, ifUnavailable)
	if err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	if resp.Succeeded {
		return nil
	}
	return want.compare(key, resp.Responses[0].GetResponseRange().Kvs[0].Value)
}

// compare returns an error if value, which was found at key, is not that of this program.
func (want meta) compare(key string, value []byte) error {
	var have meta
	if err := json.Unmarshal(value, &have); err != nil || have.Format == 0 {
		return fmt.Errorf("the key %s has another program's value", key)
	}
	if have.Format != want.Format {
		return fmt.Errorf("the format of the prefix is %d, and this program knows %d", have.Format, want.Format)
	}
	if have.Cluster != want.Cluster {
		return fmt.Errorf("the prefix was made in cluster %s, and this is cluster %s: was it restored from a backup?",
			have.Cluster, want.Cluster)
	}
	return nil
}
