package cluster

import "errors"

// Why a session is lost.
var (
	errExpired   = errors.New("the lease could not be renewed in time")
	errDeleted   = errors.New("a key of this process was deleted")
	errGone      = errors.New("etcd has ended the lease")
	errNoSession = errors.New("there is no lease at the moment")
	errForged    = errors.New("a key of this process was written by another program")
	errRestored  = errors.New("etcd was restored from an earlier state")
)
