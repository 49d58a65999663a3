package manager

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/treelock/treelock"
)

// Revoke ends the live request with that number, for operators and for leases. A grant ends as its
// release would end it, and its [treelock.Grant.Lost] is closed before another request gets what it
// held. With it end all requests inside it, and the requests inside those. A grant that was
// released and lives on for grants inside it can be revoked as well. A request that waits fails:
// its Acquire or its ticket. All of them get an error that satisfies errors.Is for
// [treelock.ErrLost] and for cause; a nil cause means a default one.
//
// Revoke cannot stop a holder that goes on without looking at Lost. A store that compares
// [treelock.Grant.Token] can refuse it.
//
// The error is [treelock.ErrNotHeld] if no such request is live. If ctx ends first, it is that of
// ctx (see [Manager.Acquire]), and nothing is revoked. It is [treelock.ErrStopped] if the manager
// stops.
//
// The cause of a revoked grant is remembered until the grant is released, but only for the latest
// 4,096 of them. A grant that is forgotten counts as released.
//
// A widening that waits has a number of its own. To revoke it fails the call of Widen, and leaves
// its grant as it was.
//
// The manager has no index of requests by number. So Revoke looks at all live requests, in steps
// like those of [Manager.Snapshot], and waits for snapshots that are under way. That takes some
// milliseconds with 100,000 live requests, during which the manager handles other messages: see
// BenchmarkRevoke in manager/bench. To end the request costs what its release would, and the same
// for each request inside it.
func (m *Manager[N]) Revoke(ctx context.Context, number uint64, cause error) error {
	if cause == nil {
		cause = errRevoked
	}
	s := &survey[N]{due: func(seq uint64, _ treelock.State, _ time.Duration) bool {
		return seq == number
	}}
	ended := ctx.Done()
	o := m.runSurvey(ended, s)
	var err error
	if o == outcomeSent {
		o, err = m.sendRevoke(ended, s, lostErr(cause))
	}
	if o != outcomeSent {
		err = m.unsentErr(o, ctx)
	}
	if err != nil {
		return &revokeError{number, err}
	}
	return nil
}

// errRevoked is the cause of a revocation that has none.
var errRevoked = errors.New("it was revoked")

// sendRevoke ends the request that s has found, for the reason why. The request may have ended
// since, and its storage may have another one: the message has its number, so revoke sees that.
func (m *Manager[N]) sendRevoke(
	ended <-chan struct{}, s *survey[N], why error,
) (o outcome, err error) {
	found := slices.Concat(s.waiters.sorted(), s.holders.sorted())
	if len(found) == 0 {
		return outcomeSent, notLiveError{}
	}
	c := m.emptyCall()
	c.err = why
	o = m.sendWithin(ended, message[N]{kind: kindRevoke, call: c, ref: refTo(found[0].req), seq: found[0].seq})
	if o == outcomeSent {
		if m.journal == nil {
			ended = nil // the manager replies at once
		}
		select {
		case v := <-c.replies:
			if v == verdictRefused {
				err = c.err
			}
		case <-ended: // the manager may still write to c, so c is not reused
			return outcomeCanceled, nil
		}
	}
	m.recycle(c)
	return o, err
}

// revoke ends the request with number seq that was stored in r, unless it has ended. On the manager
// goroutine. It does not ask overErr, as a grant that was released and lives on is live, too.
func (l *loop[N]) revoke(c *call[N], r *request[N], seq uint64) {
	l.assertOwner()
	if r == nil || r.Seq() != seq {
		l.refuse(c, notLiveError{})
		return
	}
	if e := entryOf(r); e != nil && foreign(r) {
		l.placing.journal.Revoke(e, c.err)
		l.placing.revoking[e] = append(l.placing.revoking[e], c)
		return
	}
	l.lose(r, c.err)
	c.replies <- verdictDone
}

// lose ends a live request and all requests inside it. err says why.
func (l *loop[N]) lose(r *request[N], err error) {
	if r.Waiting() {
		l.fail(r, err)
		return
	}
	if w := r.Widening(); w != nil {
		l.fail(w, err)
	}
	// This is read before the requests inside end: with the last one, leave ends a released grant.
	x := r.Who.extra
	released := x != nil && x.released
	if x != nil && x.inner != nil {
		l.loseInside(x.inner, err)
	}
	if released {
		return // it has ended with the last request inside it
	}
	// end grants requests that waited for r. The holder can know that it lost r before that.
	l.revoked.add(r.Seq(), err)
	l.give(r, lostSignal)
	l.drop(r, wantedSignal)
	l.end(r)
}

// loseInside ends all requests inside a grant. Those that wait go first, so that none is granted.
func (l *loop[N]) loseInside(s *scope[N], err error) {
	// With its last request the scope goes, but its table stays as it is until the next message.
	table := s.table
	l.failInside(s, err)
	for _, sub := range table.Requests() {
		l.lose(sub, err)
	}
}

// A notLiveError is ErrNotHeld for a number that no live request has.
type notLiveError struct{}

func (notLiveError) Error() string { return "no such request is live" }

func (notLiveError) Is(target error) bool { return target == treelock.ErrNotHeld }

// A revokeError says which request was not revoked.
type revokeError struct {
	number uint64
	err    error
}

func (e *revokeError) Error() string {
	text := strings.TrimPrefix(e.err.Error(), "treelock: ")
	return "treelock: revoke #" + strconv.FormatUint(e.number, 10) + ": " + text
}

func (e *revokeError) Unwrap() error { return e.err }
