package treelock

import "time"

// A State says what a live request does.
type State uint8

const (
	Waiting State = iota // it is to be granted when those before it that conflict have gone
	Holding              // it was granted
)

// String returns "waiting" or "holding".
func (s State) String() string {
	if s == Holding {
		return "holding"
	}
	return "waiting"
}

// MarshalText returns the string: it is how a state stands in JSON.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is the reverse of MarshalText.
func (s *State) UnmarshalText(text []byte) error { return unmarshal(s, text, Waiting, Holding) }

// A Blocker is a live request that another one would have had to wait for, or did.
type Blocker[N Node[N]] struct {
	Number uint64        `json:"number"` // its place in the order of arrival
	Label  string        `json:"label,omitempty"`
	State  State         `json:"state"`
	For    time.Duration `json:"for_ns"` // how long it has been in that state

	// Claim is what it claims, or one of its claims, that conflicts with Wanted, a claim of the request that it blocks.
	Claim  Claim[N] `json:"claim"`
	Wanted Claim[N] `json:"wanted"`
}

// A BlockedError says who blocked a request that was refused, or given up while it waited. Get it from an error with
// [errors.As]; the error that it wraps says why that was the end: [ErrConflict], [ErrBusy] or the error of a context.
//
//	var blocked *treelock.BlockedError[treelock.Path]
//	if errors.As(err, &blocked) {
//		for _, b := range blocked.Blockers {
//			log.Print(b.Label)
//		}
//	}
//
// It tells of the moment at which the request ended. It names a few blockers, the earliest of all. Of
// those that claim or want one node in one way at most 64 are counted, and of those that claim something
// below a subtree 1,024; AtLeast says that there may be more. Where there are more below than are
// counted, those that are named need not be the earliest.
type BlockedError[N Node[N]] struct {
	Op         string     `json:"op,omitempty"`          // what was asked for: acquire, try to acquire, submit
	Label      string     `json:"label,omitempty"`       // of the request that was blocked
	Claims     []Claim[N] `json:"claims,omitempty"`      // its first claims; the manager keeps 8
	MoreClaims int        `json:"more_claims,omitempty"` // how many more it has

	Waited   time.Duration `json:"waited_ns"` // how long it had waited; 0 if it was refused at once
	Blockers []Blocker[N]  `json:"blockers"`
	More     int           `json:"more,omitempty"`     // how many more there were
	AtLeast  bool          `json:"at_least,omitempty"` // there may have been more than that: not all were counted
	Err      error         `json:"-"`                  // why it did not wait any longer
}

// Unwrap returns Err.
func (e *BlockedError[N]) Unwrap() error { return e.Err }
