package davlock

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/treelock/treelock"
)

// Limits bound what clients can ask for. Zero means the default, which each field names.
type Limits struct {
	PerUser int           // locks of one user: 1,000
	All     int           // locks of all users: 100,000
	Longest time.Duration // the time of a lock: 1 hour
}

// shortest is the least time of a lock, as clients ask in whole seconds.
const shortest = time.Second

// A Table holds the locks of one tree. Start it with [Start].
type Table struct {
	locker treelock.Locker[Path]
	limits Limits
	store  Store             // nil for one server
	inbox  chan func(*state) // to the goroutine of the table; unbuffered, never closed
	done   <-chan struct{}   // closed when the table ends
}

// state is what the goroutine of the table owns.
type state struct {
	locks   map[string]*lock          // by token
	at      map[Path]map[*lock]string // by root; the values are the tokens
	perUser map[string]int

	revision int64 // of the store; the table has all changes up to it
}

// A lock is owned by the goroutine of the table, but for the fields that never change.
type lock struct {
	Spec
	token    string
	grant    treelock.Grant[Path] // the zero Grant until it is acquired
	deadline time.Time
	remote   bool          // it is held by another server, and has neither grant nor watcher here
	revision int64         // of its record, 0 if it has none
	ended    chan struct{} // closed when the lock leaves the table
	renewed  chan struct{} // from Refresh to the watcher; room for one, as one is enough
}

// Start starts a table of locks that are granted by locker. It ends with ctx. Several servers share
// a store; for one it is nil.
func Start(ctx context.Context, locker treelock.Locker[Path], limits Limits, store Store) *Table {
	if limits.PerUser == 0 {
		limits.PerUser = 1000
	}
	if limits.All == 0 {
		limits.All = 100_000
	}
	if limits.Longest == 0 {
		limits.Longest = time.Hour
	}
	t := &Table{locker: locker, limits: limits, store: store, inbox: make(chan func(*state)), done: ctx.Done()}
	go t.run()
	if store != nil {
		go t.follow(ctx)
	}
	return t
}

// run is the goroutine of the table.
func (t *Table) run() {
	s := &state{map[string]*lock{}, map[Path]map[*lock]string{}, map[string]int{}, 0}
	for {
		select {
		case f := <-t.inbox:
			f(s)
		case <-t.done:
			for _, l := range s.locks {
				s.remove(l)
			}
			return
		}
	}
}

// do runs f on the goroutine of the table. It fails only once the table has ended.
func (t *Table) do(f func(*state)) error {
	finished := make(chan struct{})
	select {
	case t.inbox <- func(s *state) { defer close(finished); f(s) }:
		<-finished
		return nil
	case <-t.done:
		return fmt.Errorf("davlock: the table has ended: %w", treelock.ErrStopped)
	}
}

// Lock makes a lock. It never waits for another lock: the error is a [LockedError] then. It waits
// for methods that run under a lock that has ended, until ctx ends. The caller holds the claims of
// [LockRun].
func (t *Table) Lock(ctx context.Context, spec Spec) (Info, error) {
	spec.Timeout = min(max(spec.Timeout, shortest), t.limits.Longest)
	l := &lock{Spec: spec, token: newToken(), ended: make(chan struct{}), renewed: make(chan struct{}, 1)}
	var refused error
	err := t.do(func(s *state) { refused = s.add(l, t.limits) })
	if err = errors.Join(err, refused); err != nil {
		return Info{}, err
	}
	grant, err := t.locker.Acquire(ctx, request(spec.claim()).Labeled("LOCK by "+user(spec.User)))
	if err != nil {
		err = errors.Join(err, t.do(func(s *state) { s.remove(l) }))
		return Info{}, err
	}
	var revision int64
	if t.store != nil {
		revision, err = t.store.Add(ctx, Record{Spec: spec, Token: l.token}, grant)
	}
	var info Info
	stopped := t.do(func(s *state) {
		l.grant = grant
		if err != nil {
			s.remove(l)
			return
		}
		l.deadline, l.revision = time.Now().Add(spec.Timeout), revision
		s.stored(revision)
		info = l.info()
		go t.watch(l, l.deadline)
	})
	if err != nil {
		go t.forget(l.token) // the record may have been written
	}
	if stopped != nil {
		grant.Release()
	}
	return info, errors.Join(err, stopped)
}

// LockRun returns what a LOCK of spec claims in the tree of methods: see L3.
func LockRun(spec Spec) treelock.Request[Path] {
	c := spec.claim()
	c.Access = treelock.Exclusive
	return treelock.Request[Path]{}.With(c)
}

// watch ends the lock when its time ends or its grant is lost.
func (t *Table) watch(l *lock, deadline time.Time) {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	for {
		select {
		case <-l.ended:
			return
		case <-l.renewed:
		case <-timer.C:
		case <-l.grant.Lost():
			_ = t.do(func(s *state) { s.remove(l) })
			t.forget(l.token)
			return
		}
		var left time.Duration
		if t.do(func(s *state) { left = s.expire(l) }) != nil {
			return
		}
		if left == 0 {
			t.forget(l.token)
			return
		}
		timer.Reset(left)
	}
}

// Refresh gives a lock that covers p a new time. The error is ErrNoLock or ErrNotYours.
func (t *Table) Refresh(ctx context.Context, token, user string, p Path, timeout time.Duration) (info Info, err error) {
	timeout = min(max(timeout, shortest), t.limits.Longest)
	l, record, err := t.find(token, user, p)
	if err != nil {
		return Info{}, err
	}
	if t.store != nil {
		record.Timeout = timeout
		if record.Revision, err = t.store.Replace(ctx, record); err != nil {
			return Info{}, err
		}
	}
	stopped := t.do(func(s *state) {
		s.stored(record.Revision)
		if s.locks[token] != l {
			err = ErrNoLock
			return
		}
		l.renew(timeout, record.Revision)
		info = l.info()
	})
	return info, errors.Join(err, stopped)
}

// Unlock ends a lock that covers p. The error is ErrNoLock or ErrNotYours.
func (t *Table) Unlock(ctx context.Context, token, user string, p Path) error {
	l, _, err := t.find(token, user, p)
	if err != nil {
		return err
	}
	return t.end(ctx, l)
}

// find returns a lock that covers p, with its record.
func (t *Table) find(token, user string, p Path) (l *lock, r Record, err error) {
	stopped := t.do(func(s *state) {
		if l, err = s.find(token, user); err != nil {
			return
		}
		if !l.info().Covers(p) {
			err = ErrNoLock
			return
		}
		r = Record{l.Spec, l.token, l.revision}
	})
	return l, r, errors.Join(err, stopped)
}

// Below returns the locks whose root is p or below, sorted by their root.
func (t *Table) Below(p Path) (infos []Info, err error) {
	err = t.do(func(s *state) {
		for _, l := range s.locks {
			if p.Contains(l.Root) {
				infos = append(infos, l.info())
			}
		}
	})
	sortInfos(infos)
	return infos, err
}

// Covering returns the locks that cover p, those of the upper roots first.
func (t *Table) Covering(p Path) (infos []Info, err error) {
	err = t.do(func(s *state) {
		for _, l := range s.covering(p) {
			infos = append(infos, l.info())
		}
	})
	sortInfos(infos)
	return infos, err
}

// newToken returns a token that cannot be guessed: a random UUID.
func newToken() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func user(name string) string {
	if name == "" {
		return "anonymous"
	}
	return name
}

func sortInfos(infos []Info) {
	slices.SortFunc(infos, func(a, b Info) int {
		return strings.Compare(string(a.Root)+"\x00"+a.Token, string(b.Root)+"\x00"+b.Token)
	})
}
