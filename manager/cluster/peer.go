package cluster

import (
	"cmp"
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
		m.entry = entry{Claims: r.claims, Label: r.label, Process: c.name, Token: token(c.revision, i), Journal: m,
			Earlier: c.listed, Made: c.made}
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
	l.stepFenced(p)
	for _, b := range p.sorted() {
		l.endBatch(p, b)
	}
}

// forgetEmpty forgets a session that has no requests.
func (l *log) forgetEmpty(lease int64, p *peer) {
	if len(p.batches) == 0 && !p.fenced {
		delete(l.peers, lease)
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
