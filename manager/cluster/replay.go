package cluster

import (
	"cmp"
	"errors"
	"slices"
)

// A peer is another session in the log. The earlier sessions of this process are such, too.
type peer struct {
	batches map[int64]*peerBatch
	fenced  bool // it has written a bad value: its requests have ended, and nothing else counts
}

// A peerBatch is a batch of another session.
type peerBatch struct {
	lease, n int64
	members  []*member
}

// A member is a request of another session.
type member struct {
	entry entry
	batch *peerBatch
	index int
	ended bool

	narrowing bool    // it is in log.narrowing
	narrower  []claim // that it is to hold then
}

// A change is one event of the log, or one key of a list of it. Values are parsed before the
// manager goroutine sees them.
type change struct {
	key      requestKey
	revision int64 // of a batch: that which created it
	deleted  bool

	name      string     // of a batch
	requests  []proposed // of a batch
	amendment amendment
	cause     string // of a revocation
	bad       error  // the value is not of this format
}

// apply applies the changes of one revision. Changes of one revision come in any order. What ends
// is applied first: a request that its process has granted is then granted here, too, before it is
// narrowed or another one arrives. A session writes at most one batch in a revision, so no two
// arrivals of one revision need an order but that in the batch.
func (l *log) apply(revision int64, changes []change) {
	l.applyInPasses(changes)
	l.reached(revision)
}

// applyInPasses applies what ends, then what is narrowed, then what arrives, in the order of
// changes.
func (l *log) applyInPasses(changes []change) {
	for pass := range numPasses {
		for i := range changes {
			if l.Tick(); l.session == nil {
				return // it was lost
			}
			l.applyPart(&changes[i], pass)
		}
		if pass == passNarrow {
			l.narrowAll()
		}
	}
}

// The passes.
const (
	passEnd = iota
	passNarrow
	passArrive
	numPasses
)

// applyPart applies the part of a change that belongs to a pass.
func (l *log) applyPart(c *change, pass int) {
	amends := c.bad == nil && !c.deleted && c.key.kind == keyAmendment
	arrives := c.bad == nil && !c.deleted && c.key.kind != keyAmendment
	if (pass == passNarrow && !amends) || (pass == passArrive) != arrives {
		return
	}
	if c.key.lease == l.session.lease {
		l.changeOwn(c)
		return
	}
	p := l.peers[c.key.lease]
	if p == nil {
		p = &peer{batches: map[int64]*peerBatch{}}
		l.peers[c.key.lease] = p
	}
	b := p.batches[c.key.n]
	switch {
	case c.deleted && c.key.kind == keyBatch && b != nil:
		l.endBatch(p, b)
	case p.fenced, c.deleted, c.key.kind == keyRevocation:
	case c.bad != nil:
		l.fence(p)
	case c.key.kind == keyBatch && b == nil:
		l.arriveBatch(p, c)
	case c.key.kind == keyAmendment && b != nil:
		if pass == passEnd {
			l.endMembers(p, b, c.amendment)
		} else {
			l.narrowMembers(p, b, c.amendment)
		}
	}
	l.forgetEmpty(c.key.lease, p)
}

// forgetEmpty forgets a session that has no requests.
func (l *log) forgetEmpty(lease int64, p *peer) {
	if len(p.batches) == 0 && !p.fenced {
		delete(l.peers, lease)
	}
}

// changeOwn applies a change of a key of this session.
func (l *log) changeOwn(c *change) {
	b := l.session.batches[c.key.n]
	switch {
	case c.bad != nil:
		l.lose(c.bad) // all others fence this session as well, whatever the key is
	case b == nil && !c.deleted && c.key.kind == keyBatch && c.key.n > l.session.applied:
		l.lose(errForged)
	case b == nil:
	case c.deleted && c.key.kind == keyBatch && b.open > 0:
		l.lose(errDeleted)
	case c.deleted:
	case c.key.kind == keyBatch:
		b.placed = true
		for i, r := range b.requests {
			if !r.ended && !r.placed { // C2
				r.placed = true
				r.entry.Token = token(c.revision, i)
				l.mirror.Arrive(&r.entry)
			}
		}
	case c.key.kind == keyAmendment && !b.says(c.amendment):
		l.lose(errForged)
	case c.key.kind == keyRevocation && c.key.index < len(b.requests):
		if r := b.requests[c.key.index]; !r.ended {
			l.mirror.Lose(&r.entry, errors.New(c.cause))
		}
	}
}

// says reports whether an amendment says what has become of b. Another one was written by hand, and
// all others believe it or fence this session.
func (b *batch) says(a amendment) bool {
	for _, i := range a.ended {
		if i >= len(b.requests) || !b.requests[i].ended {
			return false
		}
	}
	for _, n := range a.narrowed {
		if n.index >= len(b.requests) || b.requests[n.index].narrowed == nil {
			return false
		}
	}
	return true
}

// token returns the place of request i of the batch that a revision has created.
func token(revision int64, i int) uint64 { return uint64(revision)<<16 | uint64(i) }

// arriveBatch is the arrival of the requests of another session.
func (l *log) arriveBatch(p *peer, c *change) {
	l.urgent = true // its requests may conflict with some whose ends linger
	b := &peerBatch{lease: c.key.lease, n: c.key.n}
	p.batches[b.n] = b
	for i, r := range c.requests {
		m := &member{batch: b, index: i, ended: c.amendment.ends(i)}
		if claims, ok := c.amendment.narrows(i); ok {
			r.claims = claims
		}
		m.entry = entry{Claims: r.claims, Label: r.label, Process: c.name, Token: token(c.revision, i), Journal: m}
		b.members = append(b.members, m)
		if !m.ended {
			l.mirror.Arrive(&m.entry)
		}
	}
}

// endMembers ends the requests that an amendment says have ended. It says all that has become of
// the batch, so most of it is known.
func (l *log) endMembers(p *peer, b *peerBatch, a amendment) {
	for _, i := range a.ended {
		if i >= len(b.members) {
			l.fence(p)
			return
		}
		l.end(b.members[i])
	}
}

// narrowMembers notes that requests are to be narrowed, as an amendment says.
func (l *log) narrowMembers(p *peer, b *peerBatch, a amendment) {
	for _, n := range a.narrowed {
		if n.index >= len(b.members) {
			l.fence(p)
			return
		}
		m := b.members[n.index]
		if !m.narrowing {
			l.narrowing = append(l.narrowing, m)
		}
		m.narrowing, m.narrower = true, n.claims
	}
}

// narrowAll narrows the requests that are to be narrowed, in the order of their places. Its process
// has granted each of them, but it may wait here: for a request of that process whose end is in a
// later transaction, as one has only so much room, or for one of this process whose guard was
// deleted, as this process may not know yet. Then it stays as it is until it is granted here.
func (l *log) narrowAll() {
	slices.SortFunc(l.narrowing, func(a, b *member) int { return cmp.Compare(a.entry.Token, b.entry.Token) })
	l.narrowing = slices.DeleteFunc(l.narrowing, func(m *member) bool {
		switch {
		case m.ended:
			return true
		case !l.mirror.Granted(&m.entry):
			return false
		case !l.mirror.Narrow(&m.entry, m.narrower):
			l.fence(l.peers[m.batch.lease])
		}
		m.narrowing, m.narrower = false, nil
		return true
	})
}

// end is the end of a request of another session.
func (l *log) end(m *member) {
	if !m.ended {
		m.ended = true
		l.mirror.Depart(&m.entry)
	}
}

// endBatch ends all requests of a batch.
func (l *log) endBatch(p *peer, b *peerBatch) {
	delete(p.batches, b.n)
	for _, m := range b.members {
		l.end(m)
	}
}

// fence ends all requests of a session that has written what no session writes. All processes read
// the same value, so all of them do, also the one that has written it.
func (l *log) fence(p *peer) {
	p.fenced = true
	for _, b := range p.sorted() {
		l.endBatch(p, b)
	}
}

// clearPeers ends all requests of all other sessions.
func (l *log) clearPeers() {
	for _, p := range l.peers {
		for _, b := range p.sorted() {
			l.endBatch(p, b)
		}
	}
	clear(l.peers)
	l.narrowing = nil
}

// sorted returns the batches by their numbers.
func (p *peer) sorted() []*peerBatch {
	var all []*peerBatch
	for _, b := range p.batches {
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b *peerBatch) int { return cmp.Compare(a.n, b.n) })
	return all
}

// list brings the mirror to the revision of a list of all keys below ns/q. Entries that are known
// keep their places, so the order is the one before. Later ones have larger places.
func (l *log) list(revision int64, all []change) {
	if revision < l.revision {
		l.lose(errRestored)
		return
	}
	listed := map[requestKey]change{}
	for _, c := range all {
		listed[c.key] = c
	}
	for lease, p := range l.peers {
		p.fenced = p.fenced && slices.ContainsFunc(all, func(c change) bool { return c.key.lease == lease })
		for _, b := range p.sorted() {
			if _, ok := listed[requestKey{lease: lease, n: b.n, kind: keyBatch}]; !ok {
				l.endBatch(p, b)
			}
		}
		l.forgetEmpty(lease, p)
	}
	for n, b := range l.session.batches {
		key := requestKey{lease: l.session.lease, n: n, kind: keyBatch}
		known := b.placed || b.committed > 0 && b.committed <= revision
		if _, ok := listed[key]; !ok && b.open > 0 && known {
			l.lose(errDeleted)
			return
		}
	}
	// A batch that is new here arrives as its amendment has it. For one that is known the amendment
	// is a change as any other.
	slices.SortFunc(all, func(a, b change) int { return cmp.Compare(a.revision, b.revision) })
	for i := range all {
		c := &all[i]
		amends := requestKey{lease: c.key.lease, n: c.key.n, kind: keyAmendment}
		if d, ok := listed[amends]; ok && c.key.kind == keyBatch {
			c.amendment = d.amendment
		}
	}
	l.applyInPasses(all)
	l.reached(revision)
}

// A revisionWaiter waits until the mirror has the log up to a revision.
type revisionWaiter struct {
	revision int64
	reached  chan struct{} // closed by the manager goroutine, nothing is sent
}

// reached notes that the mirror has the log up to a revision. Without a session it has nothing.
func (l *log) reached(revision int64) {
	if l.session == nil {
		return
	}
	l.revision = max(l.revision, revision)
	l.waiters = slices.DeleteFunc(l.waiters, func(w revisionWaiter) bool {
		if w.revision <= l.revision {
			close(w.reached)
			return true
		}
		return false
	})
}
