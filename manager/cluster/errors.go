package cluster

import "errors"

// ErrLeaseLost is in the errors of all grants and waiting requests that a process loses at once,
// with its lease: they are [treelock.ErrLost] as well. It is not in that of a request that was
// revoked.
var ErrLeaseLost = errors.New("the lease of the process was lost")

// A leaseError is why a session is lost. It has the text of its cause, and is an ErrLeaseLost.
type leaseError struct{ cause error }

func (e *leaseError) Error() string   { return e.cause.Error() }
func (e *leaseError) Unwrap() []error { return []error{ErrLeaseLost, e.cause} }

// Why a session is lost.
var (
	errExpired   = errors.New("the lease could not be renewed in time")
	errDeleted   = errors.New("a key of this process was deleted")
	errGone      = errors.New("etcd has ended the lease")
	errNoSession = errors.New("there is no lease at the moment")
	errForged    = errors.New("a key of this process was written by another program")
	errRestored  = errors.New("etcd was restored from an earlier state")
)
