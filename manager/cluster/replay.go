package cluster

import (
	"cmp"
	"errors"
	"slices"

	"github.com/treelock/treelock/manager/cluster/internal/steps"
)

// A change is one event of the log, or one key of a list of it. Values are parsed before the
// manager goroutine sees them.
type change struct {
	key      requestKey
	revision int64 // of a batch: that which created it
	deleted  bool
	listed   bool // it is a key of a list

	written              // of a batch
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
	if l.session != nil {
		l.step(steps.Step{Kind: steps.Applied, Revision: revision})
	}
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
				l.stepOf(steps.Placed, r)
				l.mirror.Arrive(&r.entry)
				r.arrived = true
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

// list brings the mirror to the revision of a list of all keys below ns/q. Entries that are known
// keep their places, so the order is the one before. Later ones have larger places.
func (l *log) list(revision int64, all []change) {
	if revision < l.revision {
		l.lose(errRestored)
		return
	}
	l.step(steps.Step{Kind: steps.Listed, Revision: revision})
	listed := map[requestKey]change{}
	for _, c := range all {
		listed[c.key] = c
		if c.key.lease == l.session.lease && c.bad != nil {
			l.lose(c.bad) // before what others have ended is granted to this session
			return
		}
	}
	for n, b := range l.session.batches {
		key := requestKey{lease: l.session.lease, n: n, kind: keyBatch}
		known := b.placed || b.committed > 0 && b.committed <= revision
		if _, ok := listed[key]; !ok && b.open > 0 && known {
			l.lose(errDeleted)
			return
		}
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
	// A batch that is new here arrives as its amendment has it. For one that is known the amendment
	// is a change as any other.
	slices.SortFunc(all, func(a, b change) int { return cmp.Compare(a.revision, b.revision) })
	for i := range all {
		c := &all[i]
		c.listed = true
		amends := requestKey{lease: c.key.lease, n: c.key.n, kind: keyAmendment}
		if d, ok := listed[amends]; ok && c.key.kind == keyBatch {
			c.amendment = d.amendment
		}
	}
	l.applyInPasses(all)
	l.reached(revision)
}
