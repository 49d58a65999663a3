package cluster

import (
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
// that ends, or when c.reopen says so. listed is called after each list.
func (c *conn) watchAll(ctx context.Context, listed func()) {
	for limit := firstAttempt; ; limit = min(2*limit, lastAttempt) {
		watch, cancel := context.WithCancel(ctx)
		err := c.watchOnce(watch, limit, func() {
			limit = firstAttempt
			listed()
		})
		cancel()
		if ctx.Err() != nil {
			return
		}
		c.report("the watch ended, and is opened again", err)
		if !pause(ctx, attemptPause) {
			return
		}
	}
}

var errReopen = errors.New("the watch is behind")

// watchOnce opens one watch, lists what there is, and applies the events. The watch begins at no
// revision, and the list is read after etcd has said that the watch exists. So no event between the
// two is missed, and no compaction can come between. (To list first and to watch from the revision
// of the list fails again and again under frequent compaction.)
//
// The watch has a watcher of its own, so no other watch shares its stream, and the stream ends with
// it. A server that does not answer within the limit must not hold it up. The client takes its
// servers in turn (round_robin in its internal/resolver), a silent one among them, and each call or
// stream takes a turn. So the next watch is on another server, unless other calls have taken just
// the turns between. Then it ends at its limit as well, and so on: the session is lost if none is
// as far as the log within a time to live (see renewed).
func (c *conn) watchOnce(ctx context.Context, limit time.Duration, listed func()) error {
	watcher := clientv3.NewWatcher(c.client)
	defer watcher.Close()
	c.mirror().Do(func() { c.log.watcher = watcher })
	create, cancel := context.WithCancel(ctx)
	defer cancel()
	unanswered := time.AfterFunc(limit, cancel)
	defer unanswered.Stop()
	events := watcher.Watch(watchContext(create), c.keys.requests(), clientv3.WithPrefix(),
		clientv3.WithFragment(), clientv3.WithCreatedNotify())
	created := false
	for {
		select {
		case resp, ok := <-events:
			switch {
			case !ok:
				return errors.New("the watch was closed")
			case resp.Err() != nil:
				return rpctypes.Error(resp.Err())
			case resp.Created && !created:
				created = true
				unanswered.Stop()
				if err := c.list(ctx); err != nil {
					return err
				}
				listed()
			default:
				c.applyEvents(&resp)
			}
		case <-c.reopen:
			return errReopen
		}
	}
}

// list reads all keys and hands them to the log.
func (c *conn) list(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.ttl)
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
	c.mirror().Do(func() {
		if c.log.session == c.session {
			c.log.list(c.listedAt, all)
		}
	})
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
	c.mirror().Do(func() {
		if c.log.session != c.session {
			return
		}
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
		ch.name, ch.requests, ch.bad = parseBatch(kv.Value)
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
