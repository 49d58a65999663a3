// Package journal is what a manager and a log of requests say to each other, if several processes
// share the log. The log decides the order in which requests arrive; the manager of each process
// feeds the entries of the log, in that order, to its lock table.
//
// All methods but [Mirror.Do] are called on the manager goroutine, and none waits.
package journal

import (
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

// An Entry is a request in the log, of this process or of another one. It is not reused.
type Entry[N comparable] struct {
	// Immutable.

	Claims  []locktable.Claim[N]
	Label   string
	Process string // the name of the process that has made it; "" for this one

	// Earlier is set if it came into the log before this process began to read that. Made is then
	// when its process has written it, by the clock of that process, and zero if that is not in the
	// log. Both are only shown: no decision depends on them.
	Earlier bool
	Made    time.Time

	Token uint64 // its place in the log, set before it arrives; tokens grow along the log

	Manager any // what the manager knows of it
	Journal any // what the journal knows of it
}

// A Journal brings the requests of this process into the log.
type Journal[N comparable] interface {
	// Start is called once, before any other method. What the journal learns from the log, it tells
	// the mirror.
	Start(Mirror[N])

	// Tick is called before each message that the manager handles. It lets the journal find out
	// that it has lost the log, before a grant is made.
	Tick()

	// Flush is called when the manager has handled all messages that it has seen. So what many calls
	// say to the journal goes into the log at once.
	Flush()

	// Propose asks for a place for a new request of this process. At its place the journal calls
	// Arrive, unless the entry has ended before. It returns an error if the log has no room for so
	// large a request.
	Propose(claims []locktable.Claim[N], label string) (*Entry[N], error)

	// End says that an entry of this process ends, with or without a place. It is urgent if a request
	// waits for it. End returns false if what the entry holds must stay taken for a while: then the
	// journal calls Ended.
	End(e *Entry[N], urgent bool) bool

	// Narrow says that a granted entry of this process is to hold these claims instead. It returns an
	// error if that cannot be.
	Narrow(*Entry[N], []locktable.Claim[N]) error

	// Trouble returns why entries get no place at the moment, nil if it knows no reason.
	Trouble() error

	// Revoke asks the process of an entry of another one to end it, for that reason.
	Revoke(e *Entry[N], cause error)

	// Stop says that the manager has stopped. No other method is called afterwards.
	Stop()
}

// A Mirror is the lock table of a process, as its journal sees it.
type Mirror[N comparable] interface {
	// Arrive is the arrival of an entry, at its place.
	Arrive(*Entry[N])

	// Ended is the end of an entry for which End has returned false.
	Ended(*Entry[N])

	// Held returns the entry of a grant that is held, or of the grant that it lies inside, or an error
	// that says why it is not held.
	Held(treelock.Hold) (*Entry[N], error)

	// Depart is the end of an entry of another process.
	Depart(*Entry[N])

	// Granted reports whether an entry of another process is granted.
	Granted(*Entry[N]) bool

	// Narrow makes an entry of another process, which must be granted, hold these claims instead. It
	// returns false, and changes nothing, if the entry does not hold them.
	Narrow(*Entry[N], []locktable.Claim[N]) bool

	// LoseAll ends all entries of this process, with or without a place. Their holders and waiters
	// get an error that is ErrLost and wraps cause.
	LoseAll(cause error)

	// Lose ends one entry of this process likewise.
	Lose(e *Entry[N], cause error)

	// Do runs f on the manager goroutine, and waits until it has run. It returns false if the
	// manager has stopped: then f never runs. Any goroutine may call it but the manager goroutine.
	Do(f func()) bool
}
