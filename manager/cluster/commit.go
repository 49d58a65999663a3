package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Attempts of a transaction. etcd answers a proposal that was dropped only after 7 s, so the first
// attempts are given less. After an error the next one waits a little.
const (
	firstAttempt = 500 * time.Millisecond
	lastAttempt  = 2 * time.Second
	attemptPause = 50 * time.Millisecond
	fullPause    = 200 * time.Millisecond // while etcd is full
	maxCopies    = 3
)

// attempts calls f until it succeeds, ctx ends, or f fails for a reason that does not pass. A
// server that does not answer must not hold up what another one can do. So each attempt has little
// time, and after one without an answer f is called several times at once, which the client spreads
// over its servers. f must be harmless if it is called again, and if its effect comes late.
func attempts[T any](ctx context.Context, client *clientv3.Client, f func(context.Context) (T, error)) (v T, err error) {
	var why error // of the latest attempt that says more than that there was no answer
	copies := 1
	for limit := firstAttempt; ; limit = min(2*limit, lastAttempt) {
		var silent bool
		v, silent, err = try(ctx, limit, copies, f)
		switch {
		case err == nil, !silent && !unavailable(err):
			return v, err
		case silent:
			copies = copiesFor(client)
		default:
			why = err
		}
		if !pause(ctx, attemptPause) {
			if err = ctx.Err(); why != nil {
				err = fmt.Errorf("%w; before: %w", err, why)
			}
			return v, err
		}
	}
}

// copiesFor returns how often at once an attempt is made after one without an answer.
func copiesFor(client *clientv3.Client) int { return min(len(client.Endpoints()), maxCopies) }

// try makes one attempt: it calls f so many times at once, and returns the first success. silent
// says that there was no answer.
func try[T any](ctx context.Context, limit time.Duration, copies int, f func(context.Context) (T, error)) (v T, silent bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	type result struct {
		v   T
		err error
	}
	results := make(chan result, copies)
	for range copies {
		go func() {
			v, err := f(ctx)
			results <- result{v, err}
		}()
	}
	success := false
	for range copies {
		r := <-results
		if success {
			continue // it was canceled
		}
		v, err, success = r.v, r.err, r.err == nil
		if silent = !success && ctx.Err() != nil; success {
			cancel()
		}
	}
	cancel()
	return v, silent, err
}

// unavailable reports whether a server could not be reached, or had no leader.
func unavailable(err error) bool {
	var known rpctypes.EtcdError
	if errors.As(err, &known) {
		return known.Code() == codes.Unavailable
	}
	return status.Code(err) == codes.Unavailable
}

// commitAll sends the transactions of a session, one after the other, until it is over.
func (c *conn) commitAll(ctx context.Context) {
	lingered := time.NewTimer(lingerTime)
	defer lingered.Stop()
	for {
		select {
		case t := <-c.log.commits:
			c.commit(ctx, t)
		case <-c.log.linger:
			lingered.Reset(lingerTime)
		case <-lingered.C:
			c.mirror().Do(func() { c.log.urgent = true })
		case <-ctx.Done():
			return
		}
	}
}

// lingerTime is how long ends that no request waits for may linger.
const lingerTime = time.Millisecond

// commit sends t until it is known what became of it. Each attempt is the same transaction, which
// etcd applies once, whatever became of the attempts before (C3).
func (c *conn) commit(ctx context.Context, t transaction) {
	control, ops := c.keys.control(t.lease), c.ops(t)
	copies := 1
	for limit := firstAttempt; ; limit = min(2*limit, lastAttempt) {
		resp, silent, err := try(ctx, limit, copies, func(ctx context.Context) (*clientv3.TxnResponse, error) {
			return c.client.Txn(ctx).If(c.isNext(t)).Then(ops...).Else(clientv3.OpGet(control)).Commit()
		})
		if err == nil {
			c.mirror().Do(func() { c.log.answered(t, resp.Succeeded, resp.Header.Revision, controlIn(resp)) })
			return
		}
		if ctx.Err() != nil {
			return
		}
		if silent {
			copies = copiesFor(c.client)
		}
		c.report("a transaction failed, and is sent again", err)
		wait := attemptPause
		if errors.Is(err, rpctypes.ErrNoSpace) {
			wait = fullPause
			if err := c.cleanUp(ctx, t); err != nil {
				c.report("what has ended could not be deleted", err)
			}
		}
		if !pause(ctx, wait) {
			return
		}
	}
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

// pause waits for d. It returns false if ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
