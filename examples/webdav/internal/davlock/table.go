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
	inbox  chan func(*state) // to the goroutine of the table; unbuffered, never closed
	done   <-chan struct{}   // closed when the table ends
}

// state is what the goroutine of the table owns.
type state struct {
	locks   map[string]*lock          // by token
	at      map[Path]map[*lock]string // by root; the values are the tokens
	perUser map[string]int
}

// A lock is owned by the goroutine of the table, but for the fields that never change.
type lock struct {
	Spec
	token    string
	grant    treelock.Grant[Path] // the zero Grant until it is acquired
	deadline time.Time
	ended    chan struct{} // closed when the lock leaves the table
	renewed  chan struct{} // from Refresh to the watcher; room for one, as one is enough
}

// Start starts a table of locks that are granted by locker. It ends with ctx.
func Start(ctx context.Context, locker treelock.Locker[Path], limits Limits) *Table {
	if limits.PerUser == 0 {
		limits.PerUser = 1000
	}
	if limits.All == 0 {
		limits.All = 100_000
	}
	if limits.Longest == 0 {
		limits.Longest = time.Hour
	}
	t := &Table{locker: locker, limits: limits, inbox: make(chan func(*state)), done: ctx.Done()}
	go t.run()
	return t
}

// run is the goroutine of the table.
func (t *Table) run() {
	s := &state{map[string]*lock{}, map[Path]map[*lock]string{}, map[string]int{}}
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
	var info Info
	err = t.do(func(s *state) {
		l.grant, l.deadline = grant, time.Now().Add(spec.Timeout)
		info = l.info()
		go t.watch(l, l.deadline)
	})
	if err != nil {
		grant.Release()
		return Info{}, err
	}
	return info, nil
}

// LockRun returns what a LOCK of spec claims in the tree of methods: see L3.
func LockRun(spec Spec) treelock.Request[Path] {
	c := spec.claim()
	c.Access = treelock.Shared
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
			return
		}
		var left time.Duration
		if t.do(func(s *state) { left = s.expire(l) }) != nil {
			return
		}
		timer.Reset(left)
	}
}

// Refresh gives a lock that covers p a new time. The error is ErrNoLock or ErrNotYours.
func (t *Table) Refresh(token, user string, p Path, timeout time.Duration) (info Info, err error) {
	timeout = min(max(timeout, shortest), t.limits.Longest)
	stopped := t.do(func(s *state) {
		var l *lock
		if l, err = s.find(token, user); err != nil {
			return
		}
		if !l.info().Covers(p) {
			err = ErrNoLock
			return
		}
		l.Timeout, l.deadline = timeout, time.Now().Add(timeout)
		info = l.info()
		select {
		case l.renewed <- struct{}{}:
		default:
		}
	})
	return info, errors.Join(err, stopped)
}

// Unlock ends a lock that covers p. The error is ErrNoLock or ErrNotYours.
func (t *Table) Unlock(token, user string, p Path) (err error) {
	stopped := t.do(func(s *state) {
		var l *lock
		if l, err = s.find(token, user); err != nil {
			return
		}
		if !l.info().Covers(p) {
			err = ErrNoLock
			return
		}
		s.remove(l)
	})
	return errors.Join(err, stopped)
}

// Drop ends the locks whose root is below p, and with self those at p. The resources are gone.
func (t *Table) Drop(p Path, self bool) error {
	return t.do(func(s *state) {
		for _, l := range s.locks {
			if p.Contains(l.Root) && (self || l.Root != p) {
				s.remove(l)
			}
		}
	})
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
