package cluster

import (
	"cmp"
	"context"
	"errors"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/metadata"
)

// watchContext returns the context of the watch of a session. The metadata names the stream in
// which a watcher asks for progress, so it must not have what a caller put there.
func watchContext(ctx context.Context) context.Context {
	return clientv3.WithRequireLeader(metadata.NewOutgoingContext(ctx, metadata.MD{}))
}

// watchAll keeps the mirror up to date until the session is over. It opens the watch again when
// that ends, or when c.rewatch says so. listed is called after each list.
//
// A server that does not answer must not hold it up. So after a watch that was silent, watches are
// opened on several servers at once, and the first that etcd has created is used. (To open one
// after the other is not enough. The client takes its servers in turn, a silent one among them, and
// each call takes a turn: if there are as many calls between as servers, the turn is always that of
// the silent one.)
func (c *conn) watchAll(ctx context.Context, listed func()) {
	copies := 1
	for limit := firstAttempt; ; {
		w, silent, err := c.openWatch(ctx, limit, copies)
		if silent {
			limit = min(2*limit, lastAttempt)
		}
		if err == nil {
			err = c.follow(ctx, w, func() {
				limit, copies = firstAttempt, 1
				listed()
			})
			w.close()
		}
		if ctx.Err() != nil {
			return
		}
		if silent || err == errReopen {
			copies = copiesFor(c.client)
		}
		c.report("the watch ended, and is opened again", err)
		if !pause(ctx, attemptPause) {
			return
		}
	}
}

var (
	errReopen      = errors.New("the watch is behind")
	errWatchClosed = errors.New("the watch was closed")
)

// A watch has a watcher of its own, so no other watch shares its stream, and the stream ends with
// it.
type watch struct {
	clientv3.Watcher
	events clientv3.WatchChan
	cancel context.CancelFunc
}

func (w *watch) close() {
	w.cancel()
	w.Close()
}

// openWatch opens so many watches at once, and returns the first that etcd has created. silent says
// that none was within the limit. They begin at no revision.
func (c *conn) openWatch(ctx context.Context, limit time.Duration, copies int) (w *watch, silent bool, err error) {
	used := make(chan struct{}, 1) // has room for the one that is used
	return try(ctx, limit, copies, func(attempt context.Context) (*watch, error) {
		live, cancel := context.WithCancel(watchContext(ctx))
		unlink := context.AfterFunc(attempt, cancel)
		w := &watch{Watcher: clientv3.NewWatcher(c.client), cancel: cancel}
		// Watch returns when etcd has created the watch, or live ends.
		w.events = w.Watch(live, c.keys.requests(), clientv3.WithPrefix(), clientv3.WithFragment(), clientv3.WithCreatedNotify())
		resp := <-w.events // zero if it was closed
		err := watchErr(resp)
		if err == nil && resp.Created && unlink() {
			select {
			case used <- struct{}{}:
				return w, nil
			default:
			}
		}
		w.close()
		return nil, cmp.Or(err, attempt.Err(), errWatchClosed)
	})
}

// watchErr returns the error that a response has. It is a bare status of gRPC.
func watchErr(resp clientv3.WatchResponse) error {
	if err := resp.Err(); err != nil {
		return rpctypes.Error(err)
	}
	return nil
}

// follow lists what there is, and applies the events of w until that ends. The list is read after
// etcd has said that the watch exists. So no event between the two is missed, and no compaction can
// come between. (To list first and to watch from the revision of the list fails again and again
// under frequent compaction.)
func (c *conn) follow(ctx context.Context, w *watch, listed func()) error {
	c.do(func() { c.log.watcher = w })
	if err := c.list(ctx); err != nil {
		return err
	}
	select {
	case <-c.rewatch: // the list has brought what was missing
	default:
	}
	listed()
	for {
		select {
		case resp, ok := <-w.events:
			if !ok {
				return errWatchClosed
			}
			if err := watchErr(resp); err != nil {
				return err
			}
			c.applyEvents(&resp)
		case <-c.rewatch:
			return errReopen
		}
	}
}

// list reads all keys and hands them to the log.
func (c *conn) list(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.leaseTTL)
	defer cancel()
	resp, err := c.get(ctx, c.keys.requests(), clientv3.WithPrefix())
	if err != nil {
		return err
	}
	var all []change
	for _, kv := range resp.Kvs {
		if ch, ok := c.changeOf(kv, false); ok {
			all = append(all, ch)
		}
	}
	c.listedAt = resp.Header.Revision
	c.learn(resp.Header.ClusterId, func() { c.log.list(c.listedAt, all) })
	return nil
}

// applyEvents hands the events of a response to the log, revision by revision. A response has whole
// revisions, in order.
func (c *conn) applyEvents(resp *clientv3.WatchResponse) {
	type step struct {
		revision int64
		changes  []change
	}
	var steps []step
	for _, e := range resp.Events {
		if e.Kv.ModRevision <= c.listedAt {
			continue
		}
		if len(steps) == 0 || steps[len(steps)-1].revision != e.Kv.ModRevision {
			steps = append(steps, step{revision: e.Kv.ModRevision})
		}
		if ch, ok := c.changeOf(e.Kv, e.Type == clientv3.EventTypeDelete); ok {
			last := &steps[len(steps)-1]
			last.changes = append(last.changes, ch)
		}
	}
	progress := resp.IsProgressNotify()
	c.learn(resp.Header.ClusterId, func() {
		for _, s := range steps {
			c.log.apply(s.revision, s.changes)
		}
		// The header of a response with events may be ahead of them, so it does not count.
		if progress {
			c.log.reached(resp.Header.Revision)
		}
	})
}

// changeOf parses a key and its value. ok is false for a key that no session writes.
func (c *conn) changeOf(kv *mvccpb.KeyValue, deleted bool) (ch change, ok bool) {
	if ch.key, ok = c.keys.parse(string(kv.Key)); !ok {
		return ch, false
	}
	ch.revision, ch.deleted = kv.CreateRevision, deleted
	if deleted {
		return ch, true
	}
	switch ch.key.kind {
	case keyBatch:
		ch.written, ch.requests, ch.bad = parseBatch(kv.Value)
	case keyAmendment:
		ch.amendment, ch.bad = parseAmendment(kv.Value)
	case keyRevocation:
		ch.cause = string(kv.Value)
	}
	if kv.Lease != ch.key.lease || ch.key.kind == keyBatch && kv.Version > 1 {
		ch.bad = errForged // it would outlive its session, or others may know another batch
	}
	return ch, true
}
