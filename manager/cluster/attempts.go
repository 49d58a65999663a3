package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Bounds of the attempts of a call. etcd answers a proposal that was dropped only after 7 s, so the
// first attempts are given less. After one without an answer the next has twice the time: what
// takes a server long, as to check a password while many processes connect, would else be begun
// again and again, and never end. After an error the next one waits a little.
const (
	firstAttempt = 500 * time.Millisecond
	lastAttempt  = time.Minute
	attemptPause = 50 * time.Millisecond
	fullPause    = 200 * time.Millisecond // while etcd is full
	maxCopies    = 3
)

// attempts calls f until it succeeds, ctx ends, or next says not to call it again. next is told of
// each failure, and whether there was no answer in time. It also says how long to wait.
//
// A server that does not answer must not hold up what another one can do. So each attempt has
// little time, and after one without an answer f is called several times at once, which the client
// spreads over its servers. f must be harmless if it is called again, and if its effect comes late.
func attempts[T any](ctx context.Context, client *clientv3.Client, f func(context.Context) (T, error),
	next func(err error, silent bool) (wait time.Duration, again bool)) (v T, err error) {
	var why error // of the latest attempt that says more than that there was no answer
	copies := 1
	for limit := firstAttempt; ; {
		var silent bool
		v, silent, err = try(ctx, limit, copies, f)
		if err == nil {
			return v, nil
		}
		if silent {
			limit, copies = min(2*limit, lastAttempt), copiesFor(client)
		} else {
			why = err
		}
		wait, again := next(err, silent)
		if !again {
			return v, err
		}
		if !pause(ctx, wait) {
			if err = ctx.Err(); why != nil {
				err = fmt.Errorf("%w; before: %w", err, why)
			}
			return v, err
		}
	}
}

// ifUnavailable lets attempts go on after a failure that passes.
func ifUnavailable(err error, silent bool) (wait time.Duration, again bool) {
	return attemptPause, silent || unavailable(err)
}

// get reads the keys that key and opts say.
func (m *Manager) get(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	return attempts(ctx, m.client, func(ctx context.Context) (*clientv3.GetResponse, error) {
		return m.client.Get(ctx, key, opts...)
	}, ifUnavailable)
}

// doIf does then if cond holds, and otherwise the others. As for attempts, that must be harmless if
// it is done again, and late.
func (m *Manager) doIf(ctx context.Context, cond clientv3.Cmp, then clientv3.Op, others ...clientv3.Op) (*clientv3.TxnResponse, error) {
	return attempts(ctx, m.client, func(ctx context.Context) (*clientv3.TxnResponse, error) {
		return m.client.Txn(ctx).If(cond).Then(then).Else(others...).Commit()
	}, ifUnavailable)
}

// copiesFor returns how often at once an attempt is made after one without an answer.
func copiesFor(client *clientv3.Client) int { return max(1, min(len(client.Endpoints()), maxCopies)) }

// try makes one attempt: it calls f so many times at once, and returns the first success. silent
// says that no copy had an answer.
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
		late := r.err != nil && ctx.Err() != nil
		if success || late && err != nil {
			continue // it was canceled, or what another one was told says more
		}
		v, err, success, silent = r.v, r.err, r.err == nil, late
		if success {
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
