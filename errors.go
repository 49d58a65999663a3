package treelock

import (
	"errors"
	"strconv"

	"github.com/treelock/treelock/internal/nodetext"
)

// The errors of a lock manager, for [errors.Is]. The errors returned may wrap them with details.
var (
	// ErrStopped says that the manager has ended, or ended while the request waited. Nothing is held.
	// The error returned also wraps the cause of the context that ended the manager, or ErrShutdown.
	ErrStopped = errors.New("treelock: the manager has stopped")

	// ErrShutdown says that the manager has stopped because Shutdown was called. The error returned
	// also satisfies errors.Is for ErrStopped.
	ErrShutdown = errors.New("treelock: it was shut down")

	// ErrConflict says that TryAcquire would have had to wait: an earlier request that conflicts is
	// live, holding or waiting. A BlockedError around it says which. Use Acquire to wait for it, or
	// try later.
	ErrConflict = errors.New("treelock: an earlier conflicting request is live")

	// ErrBusy says that as many requests wait as the manager admits, or as the request itself does
	// with Queue. So this one, which would have had to wait too, was refused. Try later, or raise the
	// limit.
	ErrBusy = errors.New("treelock: too many requests are waiting")

	// ErrDraining says that the manager takes no new requests because it is being drained. Send them
	// to its successor.
	ErrDraining = errors.New("treelock: the manager is draining")

	// ErrSuspended says that a request touches a subtree that is suspended. The error returned names
	// the subtree and the reason. Try again when it is resumed.
	ErrSuspended = errors.New("treelock: the subtree is suspended")

	// ErrWithdrawn says that a ticket was withdrawn before its grant was received. Submit the request
	// again if it is still wanted.
	ErrWithdrawn = errors.New("treelock: the request was withdrawn")

	// ErrGaveUp says that a context ended before the lock manager was done. The error returned also
	// wraps the error of the context and its cause. So a caller of Do can tell a time-out of the lock
	// from one of its own work.
	ErrGaveUp = errors.New("treelock: the context ended first")

	// ErrNotHeld says that a request does not lie inside what a grant holds, or that no such grant is
	// held.
	ErrNotHeld = errors.New("treelock: the grant does not hold all of this")

	// ErrReleased says that a grant was released, so that nothing more can be asked of it. Requests
	// that wait inside a grant fail with it when the grant is released.
	ErrReleased = errors.New("treelock: the grant was released")

	// ErrWidening says that another Widen of the same grant waits. Only one may, and the grant cannot
	// be narrowed meanwhile.
	ErrWidening = errors.New("treelock: another widening of the grant waits")

	// ErrLost says that a request was ended from outside, by Revoke or by the end of the lock manager,
	// while it waited or was held. The error returned also wraps the cause.
	ErrLost = errors.New("treelock: the request was lost")

	// ErrDeadlock says that the wait of a call would have closed a circle of requests that wait for
	// one another. The error returned is a DeadlockError, which names the circle. Release what is
	// held before trying again.
	ErrDeadlock = errors.New("treelock: deadlock")

	// ErrTooDeep says that a lineage, a node and all its ancestors, is longer than the manager's depth
	// limit. Raise the limit, or mend a Parent that runs in a circle.
	ErrTooDeep = errors.New("treelock: a node has too many ancestors")

	// ErrTooWide says that a request has more claims than the manager admits. Claim a common ancestor,
	// split the request, or raise the limit.
	ErrTooWide = errors.New("treelock: the request has too many claims")

	// ErrTooLong says that a path is longer than the manager's limit. Use shorter names, or raise the
	// limit.
	ErrTooLong = errors.New("treelock: a path is too long")

	// ErrIncomparable says that a node is not equal to itself, as a NaN is not, or holds a value that
	// cannot be compared. So it can name no place in a tree. Use another type or value.
	ErrIncomparable = errors.New("treelock: a node is not equal to itself or cannot be compared")
)

// A PathRule is a rule that a path, or the text of one, must keep.
type PathRule string

// The rules that a [*PathError] can name.
const (
	RuleLeadingSlash  PathRule = `it must start with "/"`
	RuleTrailingSlash PathRule = `it must not end with "/"`
	RuleEmptyName     PathRule = `it must not have an empty name ("//")`
	RuleDotName       PathRule = `it must not have the name "." or ".."`
	RuleEscape        PathRule = `it has a name that PathOf does not build`
	RuleText          PathRule = `it is not the text form of any path`
	RuleNoName        PathRule = `the name of a file must not be empty`
	RuleNUL           PathRule = `the name of a file must not have a NUL byte`
	RuleVolume        PathRule = `it must begin with a volume ("C:\" or "\\server\share") and be absolute`
)

// A PathError says that a path, or the text of one, is refused, and which rule it breaks. If it
// breaks several, one of them is named. Use [FilePath] for names of the operating system,
// [CleanPath] for other file names and [PathOf] for opaque names. [Path.Names] returns the names of
// a path that PathOf did not build.
type PathError struct {
	Path string
	Rule PathRule
}

// longestQuote bounds what an error quotes of a path, which may be a hostile one.
const longestQuote = nodetext.Longest

// Error quotes the path, of a very long one its two ends and its length.
func (e *PathError) Error() string {
	quoted := nodetext.Quote(e.Path, longestQuote)
	if len(e.Path) > longestQuote {
		quoted += " (" + strconv.Itoa(len(e.Path)) + " bytes)"
	}
	return "treelock: path " + quoted + " is refused: " + nodetext.Escaped(string(e.Rule), longestQuote)
}
