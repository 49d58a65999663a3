package cluster

import (
	"slices"
	"time"
)

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

// Flush begins the next transaction, if there is something to send and none is under way (C3). Ends
// that no request waits for may linger, until they go with a new request: with one client that
// acquires and releases, BenchmarkLock in clustertest takes half as long.
func (l *log) Flush() {
	l.stepGrants()
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
	w := written{name: l.name}
	if l.session.dated {
		w.made = time.Now()
	}
	return batchValue(w, values)
}

// amendmentsLen returns how many bytes the amendments of t have.
func (t *transaction) amendmentsLen() (n int) {
	for _, value := range t.amendments {
		n += len(value)
	}
	return n
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

// change notes that a batch has to be amended. A batch of a lost session has no keys of interest.
func (l *log) change(b *batch) {
	if l.session == nil || l.session.batches[b.n] != b || b.changed {
		return
	}
	b.changed = true
	l.session.changed = append(l.session.changed, b)
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
