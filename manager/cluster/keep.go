package cluster

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/treelock/treelock"
)

// keep renews the lease of the session every third of its time to live, until the session is over.
// It ends the session at the deadline: the manager looks at that before each message, so an empty
// step is enough.
func (c *conn) keep(ctx context.Context, deadline time.Time) {
	for next := time.Now(); ; {
		next = next.Add(c.leaseTTL / 3)
		if !pause(ctx, min(time.Until(next), left(deadline, time.Now()))) {
			return
		}
		next = time.Now()
		attempt, cancel := context.WithDeadline(ctx, deadline)
		revision, err := c.renew(attempt)
		cancel()
		if err != nil && ctx.Err() == nil {
			c.report("the lease was not renewed", err)
			if !pause(ctx, min(attemptPause, left(deadline, time.Now()))) {
				return
			}
		}
		if !c.mirror().Do(func() { deadline = c.session.deadline }) || isClosed(c.session.over) {
			return
		}
		if err == nil {
			c.checkFresh(ctx, revision)
		}
	}
}

// renew renews the lease until a renewal counts or ctx ends. It returns the revision of the read
// that came after.
func (c *conn) renew(ctx context.Context) (revision int64, err error) {
	limit, copies := c.leaseTTL/6, 1
	for ctx.Err() == nil {
		r, silent, err := try(ctx, limit, copies, c.renewOnce)
		if silent {
			copies = copiesFor(c.client)
			if c.client.Username != "" {
				limit = min(2*limit, c.leaseTTL/4) // a new stream needs a check of the password
			}
		}
		counts := true
		if err == nil && c.learn(r.cluster, func() { counts = c.log.renewed(c.session, r) }) && counts {
			return r.revision, nil
		}
		if err != nil && ctx.Err() == nil {
			c.report("the lease was not renewed, and is renewed again", err)
		}
		if !pause(ctx, attemptPause) {
			return 0, cmp.Or(err, ctx.Err())
		}
	}
	return 0, ctx.Err()
}

// renewOnce sends one renewal, and then reads the control key.
func (c *conn) renewOnce(ctx context.Context) (r renewal, err error) {
	stopped := !c.mirror().Do(func() { r.first, r.known = c.session.applied, max(c.log.newest, c.log.revision) })
	if stopped {
		return r, treelock.ErrStopped
	}
	kept, sent, err := c.keepAlive(ctx)
	if err != nil {
		return r, err
	}
	r.sent = sent
	got, err := c.client.Get(ctx, c.keys.control(c.session.lease))
	if err != nil {
		return r, err
	}
	if kept.TTL <= 0 && len(got.Kvs) > 0 {
		return r, errors.New("etcd does not renew it")
	}
	r.ttl, r.control = time.Duration(kept.TTL)*time.Second, controlOf(got)
	r.revision, r.cluster = got.Header.Revision, got.Header.ClusterId
	if r.sameTerm = kept.Header.GetRaftTerm() == got.Header.RaftTerm; !r.sameTerm {
		c.endStream() // the next renewal may go to another server
	}
	return r, nil
}
