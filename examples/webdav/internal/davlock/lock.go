package davlock

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/treelock/treelock"
)

// Path is a node of the tree of resources, "/" for the root.
type Path = treelock.Path

// A Claim is a change that a method wants to make. Its access is exclusive.
type Claim = treelock.Claim[Path]

// A Spec is what a client asks for.
type Spec struct {
	Root     Path
	Infinite bool // covers all below Root
	Shared   bool
	Owner    string // what the client says of its owner, XML that is well-formed by itself
	User     string // the name of its user, "" without authentication
	Timeout  time.Duration
}

// An Info describes a lock at one moment.
type Info struct {
	Spec
	Token string
	Left  time.Duration // until its time ends
}

// Covers reports whether the lock covers p.
func (i Info) Covers(p Path) bool { return p == i.Root || i.Infinite && i.Root.Contains(p) }

var (
	// ErrNoLock says that there is no lock with this token, or that it does not cover the resource.
	ErrNoLock = errors.New("davlock: no such lock")

	// ErrNotYours says that the lock is that of another user.
	ErrNotYours = errors.New("davlock: the lock is another user's")

	// ErrTooMany says that the user, or all users together, have as many locks as they may.
	ErrTooMany = errors.New("davlock: too many locks")
)

// A LockedError says which locks refuse a lock or a change, sorted by their root.
type LockedError struct{ Locks []Info }

func (e *LockedError) Error() string {
	return fmt.Sprintf("davlock: locked at %.100q, by %d locks", e.Locks[0].Root, len(e.Locks))
}

// Change returns the claim of a change of p alone.
func Change(p Path) Claim {
	return Claim{Node: p, Scope: treelock.NodeOnly, Access: treelock.Exclusive}
}

// ChangeAll returns the claim of a change of p and all below.
func ChangeAll(p Path) Claim { return Claim{Node: p, Access: treelock.Exclusive} }

// Within returns the request with its nodes below root: "/run" and "/a" give "/run/a".
func Within(root Path, r treelock.Request[Path]) treelock.Request[Path] {
	claims := make([]Claim, 0, r.Len())
	for c := range r.Claims() {
		c.Node = root + Path(strings.TrimSuffix(string(c.Node), "/"))
		claims = append(claims, c)
	}
	return treelock.Request[Path]{}.With(claims...).Labeled(r.Label())
}

// The roots of the two trees.
const (
	runRoot  Path = "/run"
	lockRoot Path = "/lock"
)

// Run returns the request of a method in the tree of methods.
func Run(r treelock.Request[Path]) treelock.Request[Path] { return Within(runRoot, r) }

// claim returns what the lock covers, with the access of its scope.
func (s Spec) claim() Claim {
	c := Claim{Node: s.Root, Scope: treelock.NodeOnly, Access: treelock.Exclusive}
	if s.Infinite {
		c.Scope = treelock.Subtree
	}
	if s.Shared {
		c.Access = treelock.Shared
	}
	return c
}

// request returns a request for c in the tree of locks.
func request(c Claim) treelock.Request[Path] {
	return Within(lockRoot, treelock.Request[Path]{}.With(c))
}
