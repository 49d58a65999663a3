package cluster

import (
	"errors"
	"fmt"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/journal"
	"github.com/treelock/treelock/manager/cluster/internal/steps"
	clientv3 "go.etcd.io/etcd/client/v3"
)

type entry = journal.Entry[treelock.Path]

// A log is the journal of a manager. The manager goroutine owns it. No method waits.
type log struct {
	name   string
	mirror journal.Mirror[treelock.Path]

	// commits: from the manager goroutine to that of the session which commits, never closed. It
	// has room for the one transaction that is under way.
	commits chan transaction
	// revoke begins to ask the owner of a request to end it. It does not wait.
	revoke  func(key requestKey, revision int64, cause string)
	started chan struct{} // closed when the manager has started; nothing is sent
	stop    func()        // is called when the manager has stopped

	// linger: from the manager goroutine to that of the session which commits, never closed. A
	// message asks to be told when ends have lingered long enough. It has room for one.
	linger chan struct{}
	urgent bool // what is to be sent must not linger

	unsent  []*request        // of this process, in no batch yet; ended ones among them
	dropped int               // those that have ended
	session *session          // nil while there is none
	conn    *conn             // of the session
	watcher clientv3.Watcher  // of the session, once there is one
	trouble error             // the latest failure of etcd, nil after a success
	reports map[string]report // by what was reported
	peers   map[int64]*peer
	// narrowing has the requests of other sessions that are to be narrowed.
	narrowing []*member
	// revision is that up to which the mirror has the log.
	revision int64
	waiters  []revisionWaiter
	// newest is the latest revision that is known from a read or, in an earlier session, from the
	// mirror. etcd is never behind it, unless it was restored.
	newest int64
	tracer *tracer // nil but in tests, see step.go
}

// A request is a request of this process.
type request struct {
	entry   entry
	encoded []byte
	batch   *batch // nil while it is unsent
	index   int    // in the batch
	placed  bool   // its entry has arrived
	arrived bool   // the manager knows that
	ended   bool

	narrowed    *[]claim // what it holds now, nil if it was not narrowed
	narrowedLen int      // bytes of that in an amendment

	guarded       chan struct{} // see log.guard; nil without a guard
	guardRevision int64         // of the key of the guard, 0 if it is not known
	unguarding    bool          // it is in batch.unguarded
	gone          bool          // its guard was deleted
}

// A session is what the log has of this process.
type session struct {
	lease    int64
	dated    bool      // its batches have times, as the prefix has version 2
	deadline time.Time // see lease.go
	applied  int64     // the number of the last transaction that is known to be applied
	sent     bool      // the next one is under way
	batches  map[int64]*batch
	changed  []*batch // those with changed set

	bound    int64     // the revision of a read that the mirror must reach
	boundSet time.Time // when that read was made

	// over is closed when the session is lost. Nothing is sent.
	over chan struct{}
}

func newLog(name string) *log {
	return &log{name: name, commits: make(chan transaction, 1), linger: make(chan struct{}, 1),
		started: make(chan struct{}), stop: func() {}, reports: map[string]report{}, peers: map[int64]*peer{}}
}

// Start is [journal.Journal.Start]; so are the other exported methods.
func (l *log) Start(m journal.Mirror[treelock.Path]) {
	l.mirror = m
	close(l.started)
}

// Stop ends the session and the life of the manager, so that their goroutines end.
func (l *log) Stop() {
	l.step(steps.Step{Kind: steps.Stopped})
	l.endSession()
	l.stop()
}

// Tick loses the session at its deadline (C4).
func (l *log) Tick() {
	if l.session != nil && left(l.session.deadline, time.Now()) <= 0 {
		l.lose(errExpired)
	}
}

func (l *log) Propose(claims []claim, label string) (*entry, error) {
	r := &request{entry: entry{Claims: claims, Label: label}}
	r.entry.Journal = r
	r.encoded = appendRequest(nil, proposed{claims, label})
	if len(r.encoded) > maxBatchLen {
		return nil, fmt.Errorf("%w: it takes %d bytes in the log, and at most %d are allowed",
			treelock.ErrTooWide, len(r.encoded), maxBatchLen)
	}
	l.unsent = append(l.unsent, r)
	return &r.entry, nil
}

func (l *log) End(e *entry, urgent bool) bool {
	r := e.Journal.(*request)
	if r.ended {
		return true
	}
	l.stepOf(steps.Ended, r)
	r.ended = true
	now := r.guarded == nil || l.endGuarded(r)
	if r.batch == nil {
		l.dropped++
	} else {
		r.batch.open--
		if now {
			r.batch.narrowed -= r.narrowedLen
		}
		l.change(r.batch)
		l.urgent = l.urgent || urgent || !now
	}
	return now
}

func (l *log) Narrow(e *entry, claims []claim) error {
	r := e.Journal.(*request)
	if r.guarded != nil {
		return fmt.Errorf("treelock: narrow a grant that has a guard: %w", errors.ErrUnsupported)
	}
	size := 3 + len(appendClaims(nil, claims)) // an index takes at most 3 bytes
	if all := r.batch.narrowed - r.narrowedLen + size; all > maxBatchLen {
		return fmt.Errorf("%w: with others it takes %d bytes in the log, and at most %d are allowed",
			treelock.ErrTooWide, all, maxBatchLen)
	}
	l.stepNarrowed(r, claims)
	r.batch.narrowed += size - r.narrowedLen
	r.narrowed, r.narrowedLen = &claims, size
	l.change(r.batch)
	l.urgent = true
	return nil
}

// begin begins a session. Requests that were proposed before it go into its first batch.
func (l *log) begin(lease int64, deadline time.Time) *session {
	l.session = &session{lease: lease, deadline: deadline, batches: map[int64]*batch{}, over: make(chan struct{}), boundSet: time.Now()}
	l.step(steps.Step{Kind: steps.Began, Session: lease})
	return l.session
}

// lose ends the session, and all requests of this process with it, before anything else is done
// (C5). The entries of other processes leave the mirror: the next session reads them anew.
func (l *log) lose(cause error) {
	cause = &leaseError{cause}
	l.step(steps.Step{Kind: steps.Lost})
	l.endSession()
	l.mirror.LoseAll(cause)
	l.clearPeers()
	l.newest, l.revision = max(l.newest, l.revision), 0
}

// endSession closes the session, so that its goroutines end.
func (l *log) endSession() {
	if l.session != nil {
		close(l.session.over)
		l.session, l.conn, l.watcher = nil, nil, nil
	}
	select {
	case <-l.commits: // not taken yet
	default:
	}
}

// Trouble is [journal.Journal.Trouble].
func (l *log) Trouble() error {
	if l.trouble == nil && l.session == nil {
		return errNoSession
	}
	return l.trouble
}
