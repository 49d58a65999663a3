package cluster

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/journal"
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

	unsent  []*request       // of this process, in no batch yet; ended ones among them
	dropped int              // those that have ended
	session *session         // nil while there is none
	conn    *conn            // of the session
	watcher clientv3.Watcher // of the session, once there is one
	trouble error            // the latest failure of etcd, nil after a success
	peers   map[int64]*peer
	// narrowing has the requests of other sessions that are to be narrowed.
	narrowing []*member
	// revision is that up to which the mirror has the log.
	revision int64
	waiters  []revisionWaiter
}

// A request is a request of this process.
type request struct {
	entry   entry
	encoded []byte
	batch   *batch // nil while it is unsent
	index   int    // in the batch
	placed  bool   // its entry has arrived
	ended   bool

	narrowed    *[]claim // what it holds now, nil if it was not narrowed
	narrowedLen int      // bytes of that in an amendment

	guarded       chan struct{} // see log.guard; nil without a guard
	guardRevision int64         // of the key of the guard, 0 if it is not known
	unguarding    bool          // it is in batch.unguarded
	gone          bool          // its guard was deleted
}

// A batch is a group of requests of this session. It is kept until its keys are deleted.
type batch struct {
	n        int64
	requests []*request
	open     int  // requests that have not ended
	narrowed int  // bytes in an amendment of those that were narrowed and have not ended
	changed  bool // it has to be amended or deleted
	placed   bool // it was seen in the log

	// committed is a revision at which its key was in the log, 0 if none is known.
	committed int64

	guards    []*request // whose guards are to be put
	unguarded []*request // that end when their guards are deleted
}

// A session is what the log has of this process.
type session struct {
	lease    int64
	deadline time.Time // see lease.go
	applied  int64     // the number of the last transaction that is known to be applied
	sent     bool      // the next one is under way
	batches  map[int64]*batch
	changed  []*batch // those with changed set

	newest   int64     // the latest revision of a read
	bound    int64     // the revision of a read that the mirror must reach
	boundSet time.Time // when that read was made

	// over is closed when the session is lost. Nothing is sent.
	over chan struct{}
}

// A transaction brings a batch, amendments and deletions into the log.
type transaction struct {
	lease, n   int64
	batch      []byte           // nil if there are no new requests
	amendments map[int64][]byte // by batch
	deleted    []int64          // batches that are over

	guards    []*request // whose guards it puts
	unguarded []*request // whose guards it deletes, also with their batches
}

// Bounds of a transaction. etcd takes at most 128 operations and 1.5 MiB, keys and all. There is
// room for the largest batch, and for the largest amendment.
const (
	maxAmended = 40
	maxDeleted = 20
	maxGuards  = 40

	maxTransactionLen = maxBatchLen + 1<<18 // bytes of values
)

func newLog(name string) *log {
	return &log{name: name, commits: make(chan transaction, 1), linger: make(chan struct{}, 1),
		started: make(chan struct{}), stop: func() {}, peers: map[int64]*peer{}}
}

// Start is [journal.Journal.Start]; so are the other exported methods.
func (l *log) Start(m journal.Mirror[treelock.Path]) {
	l.mirror = m
	close(l.started)
}

// Stop ends the session and the life of the manager, so that their goroutines end.
func (l *log) Stop() {
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
		return errors.ErrUnsupported
	}
	size := 3 + len(appendClaims(nil, claims)) // an index takes at most 3 bytes
	if all := r.batch.narrowed - r.narrowedLen + size; all > maxBatchLen {
		return fmt.Errorf("%w: with others it takes %d bytes in the log, and at most %d are allowed",
			treelock.ErrTooWide, all, maxBatchLen)
	}
	r.batch.narrowed += size - r.narrowedLen
	r.narrowed, r.narrowedLen = &claims, size
	l.change(r.batch)
	l.urgent = true
	return nil
}

// change notes that a batch has to be amended. A batch of a lost session has no keys of interest.
func (l *log) change(b *batch) {
	if l.session == nil || l.session.batches[b.n] != b || b.changed {
		return
	}
	b.changed = true
	l.session.changed = append(l.session.changed, b)
}

// Flush begins the next transaction, if there is something to send and none is under way (C3). Ends
// that no request waits for may linger, until they go with a new request: with one client that
// acquires and releases, BenchmarkLock in clustertest takes half as long.
func (l *log) Flush() {
	s := l.session
	ready := s != nil && !s.sent
	// Without a session requests may come and go for long. Each is looked at once or twice here.
	if l.dropped > len(l.unsent)/2 || ready && l.dropped > 0 {
		l.unsent = slices.DeleteFunc(l.unsent, func(r *request) bool { return r.ended })
		l.dropped = 0
	}
	switch {
	case !ready:
		return
	case len(l.unsent) == 0 && len(s.changed) == 0:
		return
	case len(l.unsent) == 0 && !l.urgent:
		select {
		case l.linger <- struct{}{}:
		default: // one lingers already
		}
		return
	}
	t := transaction{lease: s.lease, n: s.applied + 1}
	// They take turns to be first, so neither waits for good if there is no room for both.
	if room := maxTransactionLen; t.n%2 == 0 {
		s.amend(&t, room)
		t.batch = l.newBatch(t.n, room-t.amendmentsLen())
	} else {
		t.batch = l.newBatch(t.n, room)
		s.amend(&t, room-len(t.batch))
	}
	l.urgent = l.urgent && len(s.changed) > 0 // for which there was no room
	s.sent = true
	l.commits <- t
}

// amendmentsLen returns how many bytes the amendments of t have.
func (t *transaction) amendmentsLen() (n int) {
	for _, value := range t.amendments {
		n += len(value)
	}
	return n
}

// newBatch makes batch n of the requests that are unsent, as many as fit into so many bytes, and
// returns its value.
func (l *log) newBatch(n int64, room int) []byte {
	b, size := &batch{n: n}, 0
	var values [][]byte
	for i, r := range l.unsent {
		if size += len(r.encoded); size > min(room, maxBatchLen) || i == maxBatch {
			break
		}
		r.batch, r.index = b, i
		values = append(values, r.encoded)
		r.encoded = nil
		b.requests = append(b.requests, r)
	}
	if len(values) == 0 {
		return nil
	}
	l.unsent = slices.Delete(l.unsent, 0, len(values))
	b.open = len(values)
	l.session.batches[n] = b
	return batchValue(l.name, values)
}

// amend adds to t what has become of earlier batches, as much as fits into so many bytes.
func (s *session) amend(t *transaction, room int) {
	var later []*batch
	for _, b := range s.changed {
		// Its bound, as a guard may add an end.
		size := b.narrowed + 2*len(b.requests) + 10
		switch {
		case b.n == t.n: // its requests have just been sent
			later = append(later, b)
		case b.open == 0 && len(t.deleted) < maxDeleted:
			t.deleted = append(t.deleted, b.n)
			t.unguarded = append(t.unguarded, b.unguarded...)
			delete(s.batches, b.n)
		case b.open > 0 && len(t.amendments) < maxAmended && size <= room:
			room -= size
			if b.changed = !t.takeGuards(b); b.changed {
				later = append(later, b)
			}
			if t.amendments == nil {
				t.amendments = map[int64][]byte{}
			}
			t.amendments[b.n] = b.amendment().value()
		default:
			later = append(later, b)
		}
	}
	s.changed = later
}

// amendment says what has become of the requests of b.
func (b *batch) amendment() (a amendment) {
	for i, r := range b.requests {
		switch {
		case r.ended && !r.unguarding:
			a.ended = append(a.ended, i)
		case r.narrowed != nil:
			a.narrowed = append(a.narrowed, narrowing{i, *r.narrowed})
		}
	}
	return a
}

// answered says that etcd has answered t. If it has applied t, revision is that of t, else control
// is the number in the control key, -1 if there is none: that of t if an attempt before was
// applied. A late answer about a session that is over changes nothing.
func (l *log) answered(t transaction, applied bool, revision, control int64) {
	s := l.session
	if s == nil || s.lease != t.lease {
		return
	}
	switch {
	case applied, control == t.n:
		l.trouble = nil
		s.applied, s.sent = t.n, false
		if b := s.batches[t.n]; b != nil {
			b.committed = revision
		}
		if !applied {
			revision = 0 // it is that of the answer, and t was applied at an earlier one
		}
		guardedBy(t.guards, revision)
		l.endAll(t.unguarded)
	case control < 0:
		l.lose(errGone)
	default:
		l.lose(errRestored)
	}
}

// begin begins a session. Requests that were proposed before it go into its first batch.
func (l *log) begin(lease int64, deadline time.Time) *session {
	l.session = &session{lease: lease, deadline: deadline, batches: map[int64]*batch{}, over: make(chan struct{}), boundSet: time.Now()}
	return l.session
}

// lose ends the session, and all requests of this process with it, before anything else is done
// (C5). The entries of other processes leave the mirror: the next session reads them anew.
func (l *log) lose(cause error) {
	l.endSession()
	l.mirror.LoseAll(cause)
	l.clearPeers()
	l.revision = 0
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
