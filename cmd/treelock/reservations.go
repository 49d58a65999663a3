package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager/cluster"
)

// Bounds of what a client of treelock mcp may ask for.
const (
	maxReservations = 64  // held or waited for
	maxPaths        = 100 // of one
	maxWait         = 10 * time.Minute
	maxTimeToLive   = 7 * 24 * time.Hour
	maxNotices      = 50 // that are kept
)

// A reservation is a grant that treelock mcp holds for its client.
type reservation struct {
	grant   treelock.Grant[treelock.Path]
	request treelock.Request[treelock.Path]
	ttl     time.Duration // 0 is none
	expires time.Time     // zero is never
	over    chan struct{} // closed when it is released; nothing is sent
}

// Reservations are what treelock mcp holds. One goroutine owns the ledger: all else is done by
// steps that run there.
type reservations struct {
	locks *cluster.Manager
	ended context.Context // when it ends, the manager ends all grants
	steps chan func(*ledger)

	// tell tells the client of a reservation that ended without its doing. It is set before the
	// first reservation.
	tell func(notice string)
}

// A ledger lists the reservations by their tokens.
type ledger struct {
	held    map[uint64]*reservation
	waiting int // requests under way, for which there must be room
	notices []*notice
}

// A notice tells of the end of a reservation. The next answer of each tool has it.
type notice struct {
	text   string
	toldBy map[string]bool // by the name of the tool
}

// newReservations starts the goroutine, which ends with ctx.
func newReservations(ctx context.Context, locks *cluster.Manager) *reservations {
	r := &reservations{locks: locks, ended: ctx, steps: make(chan func(*ledger))}
	go func() {
		l := &ledger{held: map[uint64]*reservation{}}
		for {
			select {
			case step := <-r.steps:
				step(l)
			case <-ctx.Done():
				return
			}
		}
	}()
	return r
}

// do runs a step, and waits until it has run. It returns false if the server has ended: then the
// step does not run.
func (r *reservations) do(step func(*ledger)) bool {
	ran := make(chan struct{})
	select {
	case r.steps <- func(l *ledger) { step(l); close(ran) }:
		<-ran
		return true
	case <-r.ended.Done():
		return false
	}
}

var errEnded = errors.New("the server has ended, and with it all reservations")

// reserve waits for at most wait until req is granted. If one reservation covers all of it already,
// that is the result.
func (r *reservations) reserve(ctx context.Context, req treelock.Request[treelock.Path], wait, ttl time.Duration) (*reservation, error) {
	var known *reservation
	var err error
	if !r.do(func(l *ledger) { known, ctx, err = l.begin(ctx, req) }) {
		return nil, errEnded
	}
	if known != nil || err != nil {
		return known, err
	}
	grant, err := r.acquire(ctx, req, wait)
	made := &reservation{grant: grant, request: req, ttl: ttl, over: make(chan struct{})}
	if ttl > 0 {
		made.expires = time.Now().Add(ttl)
	}
	finish := func(l *ledger) {
		l.waiting--
		if err == nil {
			err = context.Cause(ctx) // the client does not read the answer of a call that it has canceled
		}
		if err == nil {
			l.held[grant.Token()] = made
		}
	}
	if !r.do(finish) {
		return nil, errEnded
	}
	if err != nil {
		grant.Release()
		return nil, err
	}
	go r.watch(made)
	return made, nil
}

// begin makes room for a request. It returns the reservation that covers it already, if there is
// one, or else a context that carries all that is held: a wait that would close a circle fails
// then.
func (l *ledger) begin(ctx context.Context, req treelock.Request[treelock.Path]) (*reservation, context.Context, error) {
	for token, held := range l.held {
		switch {
		case held.grant.Err() != nil: // watch will remove it
			continue
		case covers(held.request, req):
			return held, ctx, nil
		case held.request.Conflicts(req):
			return nil, ctx, fmt.Errorf("your own reservation %d (%v) conflicts with %v: release it first, or reserve all at once",
				token, held.request, req)
		}
		ctx = treelock.NewContext(ctx, held.grant)
	}
	if len(l.held)+l.waiting >= maxReservations {
		return nil, ctx, fmt.Errorf("there are %d reservations, which is the most: release some", maxReservations)
	}
	l.waiting++
	return nil, ctx, nil
}

// covers reports whether each claim of req lies inside one of held.
func covers(held, req treelock.Request[treelock.Path]) bool {
	for c := range req.Claims() {
		covered := false
		for h := range held.Claims() {
			covered = covered || h.Covers(c)
		}
		if !covered {
			return false
		}
	}
	return true
}

func (r *reservations) acquire(ctx context.Context, req treelock.Request[treelock.Path], wait time.Duration) (treelock.Grant[treelock.Path], error) {
	if wait <= 0 {
		return r.locks.TryAcquire(ctx, req)
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return r.locks.Acquire(ctx, req)
}

// watch waits for the end of a reservation.
func (r *reservations) watch(held *reservation) {
	var expired <-chan time.Time
	if held.ttl > 0 {
		timer := time.NewTimer(held.ttl)
		defer timer.Stop()
		expired = timer.C
	}
	why := ""
	select {
	case <-held.over:
		return
	case <-held.grant.Lost():
		why = fmt.Sprintf("was lost (%v): others may write there now", held.grant.Err())
	case <-expired:
		why = fmt.Sprintf("has ended, as its time to live of %v is over: others may write there now", held.ttl)
	}
	text := fmt.Sprintf("reservation %d (%v) %s", held.grant.Token(), held.request, why)
	mine := false // else it was released at the same time
	r.do(func(l *ledger) {
		if mine = l.remove(held); mine {
			l.notices = append(l.notices, &notice{text, map[string]bool{}})
			l.notices = l.notices[max(len(l.notices)-maxNotices, 0):]
		}
	})
	if mine {
		held.grant.Release()
		r.tell(text)
	}
}

// remove removes a reservation, and reports whether it was there.
func (l *ledger) remove(held *reservation) bool {
	token := held.grant.Token()
	if l.held[token] != held {
		return false
	}
	delete(l.held, token)
	close(held.over)
	return true
}

// release ends the reservation with a token.
func (r *reservations) release(token uint64) error {
	var held *reservation
	step := func(l *ledger) {
		if held = l.held[token]; held != nil {
			l.remove(held)
		}
	}
	switch {
	case !r.do(step):
		return errEnded
	case held == nil:
		return fmt.Errorf("you have no reservation with the token %d", token)
	}
	held.grant.Release()
	return nil
}

// notices returns what a tool has not told yet.
func (r *reservations) notices(tool string) (texts []string) {
	r.do(func(l *ledger) {
		for _, n := range l.notices {
			if !n.toldBy[tool] {
				texts = append(texts, n.text)
				n.toldBy[tool] = true
			}
		}
	})
	return texts
}
