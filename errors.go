package treelock

import (
	"errors"
	"fmt"
)

// The errors that a lock manager answers with. They are made for [errors.Is]; the errors returned may
// wrap them with details.
var (
	// ErrStopped says that the manager has ended, or ended while the request waited. Nothing is
	// held. The error returned also wraps the cause of the context that ended the manager.
	ErrStopped = errors.New("treelock: the manager has stopped: start another one, or give up")

	// ErrConflict says that TryAcquire would have had to wait: an earlier request that conflicts is
	// live, holding or waiting. A [BlockedError] around it says which.
	ErrConflict = errors.New("treelock: an earlier conflicting request is live: use Acquire to wait for it, or try later")

	// ErrBusy says that as many requests wait as the manager admits, so that this one, which would
	// have had to wait too, was refused.
	ErrBusy = errors.New("treelock: too many requests are waiting: try later, or raise the limit on waiting requests")

	// ErrDraining says that the manager takes no new requests because it is being drained.
	ErrDraining = errors.New("treelock: the manager is draining and takes no new requests: send them to its successor")

	// ErrWithdrawn says that a ticket was withdrawn before its grant was received.
	ErrWithdrawn = errors.New("treelock: the request was withdrawn: submit it again if it is still wanted")

	// ErrNotHeld says that a grant cannot be narrowed as asked, because it does not hold all of
	// that, or because it was released before.
	ErrNotHeld = errors.New("treelock: the grant does not hold all of this: narrow it only to what lies inside it, and before its release")

	// ErrTooDeep says that a node has more ancestors than the manager's depth limit, or a circle above it.
	ErrTooDeep = errors.New("treelock: a node has too many ancestors: raise the depth limit, or mend a Parent that runs in a circle")

	// ErrIncomparable says that a node is not equal to itself, or holds a value that cannot be
	// compared, so that it can name no place in a tree.
	ErrIncomparable = errors.New("treelock: a node must be equal to itself, and holds a NaN or a value that cannot be compared: use another type or value")
)

// A PathRule is one of the rules that make a [Path] canonical.
type PathRule string

// The rules that a [*PathError] can name.
const (
	RuleLeadingSlash  PathRule = `it must start with "/"`
	RuleTrailingSlash PathRule = `it must not end with "/"`
	RuleEmptyName     PathRule = `it must not have an empty name ("//")`
	RuleDotName       PathRule = `it must not have the name "." or ".."`
	RuleEscape        PathRule = `it has a name that PathOf does not build`
)

// A PathError says that a path is not canonical, and which rule it breaks. A path that breaks several
// is reported for one of them.
type PathError struct {
	Path string
	Rule PathRule
}

// longestQuote bounds what an error quotes of a path, which may be a hostile one.
const longestQuote = 200

// Error quotes the path, shortened if it is very long, and says what to do.
func (e *PathError) Error() string {
	quoted := fmt.Sprintf("%q", e.Path)
	if len(e.Path) > longestQuote {
		quoted = fmt.Sprintf("%q... (%d bytes)", e.Path[:longestQuote], len(e.Path))
	}
	advice := "use CleanPath for file names, PathOf for opaque names"
	if e.Rule == RuleEscape {
		advice = "use Names for the names as they stand in it"
	}
	return fmt.Sprintf("treelock: path %s is refused: %s: %s", quoted, e.Rule, advice)
}
