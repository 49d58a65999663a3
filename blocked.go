package treelock

import "time"

// A State says what a live request does.
type State uint8

const (
	Waiting State = iota // an earlier conflicting request is live
	Holding              // it was granted, and is not released
)

// String returns "waiting" or "holding".
func (s State) String() string {
	if s == Holding {
		return "holding"
	}
	return "waiting"
}

// MarshalText returns the string, which is a state in JSON.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is the reverse of MarshalText.
func (s *State) UnmarshalText(text []byte) error { return unmarshal(s, text, Waiting, Holding) }

// A Blocker is a live request that another one waited for, or would have had to wait for.
type Blocker[N Node[N]] struct {
	Number uint64 `json:"number"` // its place in the order of arrival
	Label  string `json:"label,omitempty"`
	// Process is the name of the process that has made the request, if it is another one: see
	// package manager/cluster. It is empty otherwise.
	Process string `json:"process,omitempty"`

	State State `json:"state"`
	// For is how long it has been in that state. It is negative if that is not known, of a request
	// of another process: see package manager/cluster.
	For time.Duration `json:"for_ns"`
	Tag any           `json:"-"` // see Request.Tagged; not in texts and logs

	// Claim is one of its claims. It conflicts with Wanted, a claim of the request that it blocks. If
	// it does not block a request, but a Drain, Wanted is the zero Claim.
	Claim  Claim[N] `json:"claim"`
	Wanted Claim[N] `json:"wanted"`
}

// A BlockedError says which requests blocked one that was refused, or that waited until its context
// ended. Get it from an error with [errors.As]. The error that it wraps says why the request ended:
// [ErrConflict], [ErrBusy] or the error of a context.
//
//	var blocked *treelock.BlockedError[treelock.Path]
//	if errors.As(err, &blocked) {
//		for _, b := range blocked.Blockers {
//			log.Print(b.Label)
//		}
//	}
//
// It describes the moment at which the request ended, and names a few blockers, the earliest first.
//
// Counting is bounded. At most 64 requests are counted that claim or want one node in one mode. The
// search for requests that claim something below a subtree stops when 1,024 of them are counted, or
// 16,384 nodes and claims were visited. If a bound was reached, AtLeast is set: there may be more
// blockers than More says, and earlier ones than those named.
type BlockedError[N Node[N]] struct {
	Op         string     `json:"op,omitempty"`          // what was called: acquire, submit, drain
	Label      string     `json:"label,omitempty"`       // of the request that was blocked
	Claims     []Claim[N] `json:"claims,omitempty"`      // its first claims; the manager keeps 8
	MoreClaims int        `json:"more_claims,omitempty"` // how many more it has

	Waited   time.Duration `json:"waited_ns"` // how long it had waited; 0 if it was refused at once
	Blockers []Blocker[N]  `json:"blockers"`
	More     int           `json:"more,omitempty"`     // how many more there were
	AtLeast  bool          `json:"at_least,omitempty"` // a bound was reached
	Err      error         `json:"-"`                  // why the request ended; not in JSON
}

// Unwrap returns Err.
func (e *BlockedError[N]) Unwrap() error { return e.Err }
