package cluster

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// commitAll sends the transactions of a session, one after the other, until it is over. It also
// finds out that the watch is silent, as that of a server that no longer answers is: each
// transaction changes keys below the prefix, so its events must come.
func (c *conn) commitAll(ctx context.Context) {
	lingered := time.NewTimer(lingerTime)
	defer lingered.Stop()
	silent := time.NewTimer(silentTime)
	defer silent.Stop()
	var committed, seen int64 // the latest transaction, and the mirror when silent was set
	for awaited := false; ; {
		select {
		case t := <-c.log.commits:
			committed = max(committed, c.commit(ctx, t))
			if !awaited {
				seen, awaited = c.revision(), true
				silent.Reset(silentTime)
			}
		case <-silent.C:
			now := c.revision()
			if awaited = now < committed; awaited {
				if now == seen {
					c.reopenWatch()
				}
				seen = now
				silent.Reset(silentTime)
			}
		case <-c.log.linger:
			lingered.Reset(lingerTime)
		case <-lingered.C:
			c.mirror().Do(func() { c.log.urgent = true })
		case <-ctx.Done():
			return
		}
	}
}

const (
	lingerTime = time.Millisecond       // how long ends that no request waits for may linger
	silentTime = 250 * time.Millisecond // how long the watch may say nothing after a transaction
)

// commit sends t until it is known what became of it, and returns a revision that is not before it.
// Each attempt is the same transaction, which etcd applies once, whatever became of the attempts
// before (C3).
func (c *conn) commit(ctx context.Context, t transaction) (revision int64) {
	ops := c.ops(t)
	send := func(ctx context.Context) (*clientv3.TxnResponse, error) { return c.sendOnce(ctx, t, ops) }
	resp, err := attempts(ctx, c.client, send, func(err error, _ bool) (wait time.Duration, again bool) {
		if ctx.Err() != nil {
			return 0, false
		}
		return c.failed(ctx, t, err), true
	})
	if err != nil {
		return 0
	}
	c.learn(resp.Header.ClusterId, func() { c.log.answered(t, resp.Succeeded, resp.Header.Revision, controlIn(resp)) })
	return resp.Header.Revision
}

// failed does what can be done after an attempt to send t has failed, and returns how long to wait
// until the next one.
func (c *conn) failed(ctx context.Context, t transaction, err error) time.Duration {
	c.report("a transaction failed, and is sent again", err)
	if !errors.Is(err, rpctypes.ErrNoSpace) {
		return attemptPause
	}
	if err := c.cleanUp(ctx, t); err != nil {
		c.report("what has ended could not be deleted", err)
	}
	return fullPause
}

// sendOnce does ops if t is the next transaction of its session, and reads the control key
// otherwise.
func (c *conn) sendOnce(ctx context.Context, t transaction, ops []clientv3.Op) (*clientv3.TxnResponse, error) {
	control := clientv3.OpGet(c.keys.control(t.lease))
	return c.client.Txn(ctx).If(c.isNext(t)).Then(ops...).Else(control).Commit()
}

// isNext holds if t is the next transaction of its session.
func (c *conn) isNext(t transaction) clientv3.Cmp {
	control := clientv3.Value(c.keys.control(t.lease))
	return clientv3.Compare(control, "=", strconv.FormatInt(t.n-1, 10))
}

// ops returns the operations of t. All keys are attached to the lease of its session.
func (c *conn) ops(t transaction) []clientv3.Op {
	lease := clientv3.WithLease(clientv3.LeaseID(t.lease))
	ops := []clientv3.Op{clientv3.OpPut(c.keys.control(t.lease), strconv.FormatInt(t.n, 10), lease)}
	if t.batch != nil {
		ops = append(ops, clientv3.OpPut(c.keys.batch(t.lease, t.n), string(t.batch), lease))
	}
	for n, value := range t.amendments {
		ops = append(ops, clientv3.OpPut(c.keys.amendment(t.lease, n), string(value), lease))
	}
	for _, r := range t.guards {
		ops = append(ops, clientv3.OpPut(c.keys.guard(t.lease, r.batch.n, r.index), "", lease))
	}
	for _, r := range t.unguarded {
		if !slices.Contains(t.deleted, r.batch.n) {
			ops = append(ops, clientv3.OpDelete(c.keys.guard(t.lease, r.batch.n, r.index)))
		}
	}
	for _, n := range t.deleted {
		// The keys of a batch have one prefix: a, d and x.
		ops = append(ops, clientv3.OpDelete(c.keys.of(t.lease, n)+"/", clientv3.WithPrefix()))
	}
	return ops
}

// controlIn returns the number in the control key that a transaction which was not applied has
// read, -1 if there is none.
func controlIn(resp *clientv3.TxnResponse) int64 {
	if resp.Succeeded || len(resp.Responses) == 0 {
		return -1
	}
	return controlOf((*clientv3.GetResponse)(resp.Responses[0].GetResponseRange()))
}

// controlOf returns the number in a control key, -1 if there is none.
func controlOf(resp *clientv3.GetResponse) int64 {
	if resp == nil || len(resp.Kvs) == 0 {
		return -1
	}
	n, err := strconv.ParseInt(string(resp.Kvs[0].Value), 10, 64)
	if err != nil {
		return -1
	}
	return n
}
