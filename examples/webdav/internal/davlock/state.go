package davlock

import (
	"time"

	"github.com/treelock/treelock"
)

// The functions here run on the goroutine of the table.

// add puts a new lock into the table, or says why it cannot be.
func (s *state) add(l *lock, limits Limits) error {
	if s.perUser[l.User] >= limits.PerUser || len(s.locks) >= limits.All {
		return ErrTooMany
	}
	if rivals := s.meeting(l.claim()); len(rivals) > 0 {
		return lockedError(rivals)
	}
	s.insert(l)
	return nil
}

// insert puts a lock into the table.
func (s *state) insert(l *lock) {
	s.locks[l.token] = l
	s.perUser[l.User]++
	if s.at[l.Root] == nil {
		s.at[l.Root] = map[*lock]string{}
	}
	s.at[l.Root][l] = l.token
}

// remove takes a lock out of the table, if it is there, and releases its grant.
func (s *state) remove(l *lock) {
	if s.locks[l.token] != l {
		return
	}
	delete(s.locks, l.token)
	if s.perUser[l.User]--; s.perUser[l.User] == 0 {
		delete(s.perUser, l.User)
	}
	if delete(s.at[l.Root], l); len(s.at[l.Root]) == 0 {
		delete(s.at, l.Root)
	}
	close(l.ended)
	l.grant.Release()
}

// expire ends a lock whose time is over, or returns what is left of it.
func (s *state) expire(l *lock) time.Duration {
	left := time.Until(l.deadline)
	if left <= 0 {
		s.remove(l)
	}
	return max(left, 0)
}

// find returns the lock of a user by its token. The time of a lock ends at its deadline, even if
// the watcher comes later.
func (s *state) find(token, user string) (*lock, error) {
	l := s.locks[token]
	if l == nil || !l.remote && (l.grant == treelock.Grant[Path]{} || l.over()) {
		return nil, ErrNoLock
	}
	if l.User != user {
		return nil, ErrNotYours
	}
	return l, nil
}

// covering returns the locks that cover p. It costs O(depth of p).
func (s *state) covering(p Path) (locks []*lock) {
	for node, ok := p, true; ok; node, ok = node.Parent() {
		for l := range s.at[node] {
			if node == p || l.Infinite {
				locks = append(locks, l)
			}
		}
	}
	return locks
}

// meeting returns the locks that conflict with c: see [treelock.Claim.Conflicts]. For a subtree it
// looks at all locks of the table.
func (s *state) meeting(c Claim) (locks []*lock) {
	candidates := s.covering(c.Node)
	if c.Scope == treelock.Subtree {
		for _, l := range s.locks {
			if l.Root != c.Node && c.Node.Contains(l.Root) {
				candidates = append(candidates, l)
			}
		}
	}
	for _, l := range candidates {
		if !l.over() && l.claim().Conflicts(c) {
			locks = append(locks, l)
		}
	}
	return locks
}

// over reports whether the time of the lock has ended. A lock whose grant is being acquired has
// none, and that of another server ends when its record does.
func (l *lock) over() bool {
	return !l.remote && !l.deadline.IsZero() && time.Until(l.deadline) <= 0
}

func (l *lock) info() Info { return Info{l.Spec, l.token, time.Until(l.deadline)} }

// lockedError returns an error that names the locks, each once.
func lockedError(locks []*lock) error {
	seen := map[*lock]bool{}
	e := &LockedError{}
	for _, l := range locks {
		if !seen[l] {
			seen[l] = true
			e.Locks = append(e.Locks, l.info())
		}
	}
	sortInfos(e.Locks)
	return e
}
