package cluster

import (
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/terms"
)

// conflict reports whether claims of two requests conflict, by the definition.
func conflict(as, bs []claim) bool {
	for _, a := range as {
		for _, b := range bs {
			if public(a).Conflicts(public(b)) {
				return true
			}
		}
	}
	return false
}

func public(c claim) treelock.Claim[treelock.Path] { return terms.ClaimOf(c.Lineage[0], c.Mode) }

// look notes the places of the requests that have come into the log.
func (w *world) look() {
	for ; w.seen < len(w.store.history); w.seen++ {
		for _, e := range w.store.history[w.seen].events {
			key, ok := w.store.keys.parse(string(e.kv.Key))
			if !ok || key.kind != keyBatch || e.deleted || w.foreign {
				continue
			}
			_, requests, err := parseBatch(e.kv.Value)
			if err != nil {
				w.fail("%s: %v", e.kv.Key, err)
			}
			for i, r := range requests {
				if w.placed[r.label] != 0 {
					w.fail("%s is in the log twice", r.label)
				}
				w.placed[r.label] = uint64(e.kv.ModRevision)<<16 + uint64(i)
			}
		}
	}
}

// granted notes a grant, and checks it: exclusion, the order of the log, and the token.
func (w *world) granted(i *item) {
	if i.state != waitingState || i.process.log.session == nil {
		w.fail("%v is granted in state %d", i, i.state)
	}
	i.state, i.token = grantedState, i.entry.Token
	w.look()
	place := w.placed[i.String()]
	if place == 0 || int64(place>>16) > i.process.delivered {
		w.fail("%v is granted before its entry was seen", i)
	}
	if i.token != place {
		w.fail("%v has token %d, and its place is %d", i, i.token, place)
	}
	for _, j := range w.items {
		if j == i || !conflict(i.holds, j.holds) {
			continue
		}
		theirs := w.placed[j.String()]
		switch {
		case j.state == grantedState || j.guardHolds():
			w.fail("%v is granted while %v holds", i, j)
		case j.state < grantedState && theirs != 0 && theirs < place:
			w.fail("%v is granted before %v", i, j)
		}
	}
	for _, g := range w.grants {
		if g.item.token >= i.token && conflict(g.claims, i.claims) {
			w.fail("%v has token %d, and %v had %d before", i, i.token, g.item, g.item.token)
		}
	}
	w.grants = append(w.grants, pastGrant{i, i.claims})
}

// guardHolds reports whether a transaction with the guard of i would be applied. If the revision of
// the guard is not known, its caller reads it.
func (i *item) guardHolds() bool {
	r := i.entry.Journal.(*request)
	if r.guarded == nil || r.batch == nil || r.guardRevision == 0 && i.state != grantedState && !i.over {
		return false
	}
	kv := i.process.w.store.kvs[i.process.w.store.keys.guard(i.leaseOf(), r.batch.n, r.index)]
	return kv != nil && (r.guardRevision == 0 || kv.ModRevision == r.guardRevision)
}

// leaseOf returns the lease of the session of i.
func (i *item) leaseOf() int64 { return i.process.leases[i] }

// check checks what must be true in each state.
func (w *world) check() {
	for _, p := range w.processes {
		if p.log.session == nil || !p.listed || len(p.nextEvents()) > 0 || p.holdsOn() {
			continue
		}
		for _, i := range w.items {
			if i.process == p && i.state == waitingState && !w.blocked(i) {
				w.fail("%v waits for no request", i)
			}
		}
	}
	for _, i := range w.items {
		r := i.entry.Journal.(*request)
		if i.state == grantedState && r.guardRevision != 0 && !i.guardHolds() {
			w.fail("%v is held, and its guard does not hold", i)
		}
	}
}

// blocked reports whether an earlier conflicting request is live, as the log says.
func (w *world) blocked(i *item) bool {
	place := w.placed[i.String()]
	for _, e := range w.store.list() {
		key, ok := w.store.keys.parse(string(e.kv.Key))
		if !ok || key.kind != keyBatch {
			continue
		}
		_, requests, _ := parseBatch(e.kv.Value)
		var a amendment
		if d := w.store.kvs[w.store.keys.amendment(key.lease, key.n)]; d != nil {
			a, _ = parseAmendment(d.Value)
		}
		for k, r := range requests {
			claims, ended := r.claims, a.ends(k)
			if c, ok := a.narrows(k); ok {
				claims = c
			}
			if own := i.process.itemOf(r.label); own != nil && own.leaseOf() == i.process.lease {
				claims, ended = own.holds, !own.live()
			}
			if !ended && uint64(e.kv.CreateRevision)<<16+uint64(k) < place && conflict(claims, i.holds) {
				return true
			}
		}
	}
	return false
}

// live reports whether a request is live, as the log says.
func (w *world) live(i *item) bool {
	r := i.entry.Journal.(*request)
	if r.batch == nil || w.store.kvs[w.store.keys.batch(i.leaseOf(), r.batch.n)] == nil {
		return false
	}
	d := w.store.kvs[w.store.keys.amendment(i.leaseOf(), r.batch.n)]
	if d == nil {
		return true
	}
	a, _ := parseAmendment(d.Value)
	return !a.ends(r.index)
}

// logged returns what a request holds, as the log says.
func (w *world) logged(i *item) []claim {
	r := i.entry.Journal.(*request)
	_, requests, _ := parseBatch(w.store.kvs[w.store.keys.batch(i.leaseOf(), r.batch.n)].Value)
	if d := w.store.kvs[w.store.keys.amendment(i.leaseOf(), r.batch.n)]; d != nil {
		a, _ := parseAmendment(d.Value)
		if claims, ok := a.narrows(r.index); ok {
			return claims
		}
	}
	return requests[r.index].claims
}

func (p *process) itemOf(label string) *item {
	for _, i := range p.w.items {
		if i.process == p && i.String() == label {
			return i
		}
	}
	return nil
}

// hash returns a hash of what matters of a state: two states with one hash have the same future.
func (w *world) hash() uint64 {
	revisions := []int64{}
	for _, kv := range w.store.kvs {
		revisions = append(revisions, kv.CreateRevision, kv.ModRevision)
	}
	for _, p := range w.processes {
		revisions = append(revisions, p.delivered)
	}
	for _, r := range w.store.history {
		revisions = append(revisions, r.number)
	}
	slices.Sort(revisions)
	revisions = slices.Compact(revisions)
	rank := func(r int64) int { k, _ := slices.BinarySearch(revisions, r); return k - len(revisions) }
	h := fnv.New64a()
	for _, key := range w.store.sorted() {
		kv := w.store.kvs[key]
		fmt.Fprintln(h, key, kv.Value, rank(kv.CreateRevision), rank(kv.ModRevision))
	}
	fmt.Fprintln(h, w.store.leases, w.budget, len(w.sent))
	for _, p := range w.processes {
		p.hash(h, rank)
	}
	for _, i := range w.items {
		r := i.entry.Journal.(*request)
		fmt.Fprintln(h, i, i.state, i.over, i.guarded, i.narrower == nil, r.index, r.placed, r.ended, r.gone, r.unguarding, rank(r.guardRevision))
		if r.batch != nil {
			fmt.Fprintln(h, r.batch.n, i.leaseOf())
		}
	}
	return h.Sum64()
}

func (p *process) hash(h interface{ Write([]byte) (int, error) }, rank func(int64) int) {
	fmt.Fprintln(h, p.lease, p.listed, rank(p.delivered), len(p.plans), p.log.urgent, len(p.log.linger), len(p.log.unsent))
	for _, r := range p.w.store.history {
		if r.number <= p.delivered {
			continue
		}
		for _, e := range r.events {
			fmt.Fprintln(h, rank(r.number), string(e.kv.Key), e.kv.Value, e.deleted)
		}
	}
	if t := p.current; t != nil {
		fmt.Fprintln(h, t.n, t.batch, t.amendments, t.deleted, len(t.guards), len(t.unguarded))
	}
	if p.answer != nil {
		fmt.Fprintln(h, len(p.stale), p.answer.applied, p.answer.control)
	}
	if s := p.log.session; s != nil {
		fmt.Fprintln(h, s.applied, s.sent, len(s.batches), len(s.changed))
	}
	for lease := range p.w.leases + 1 {
		q := p.log.peers[lease]
		if q == nil {
			continue
		}
		for _, b := range q.sorted() {
			fmt.Fprint(h, lease, q.fenced, b.n)
			for _, m := range b.members {
				fmt.Fprint(h, " ", m.ended, m.narrowing, rank(int64(m.entry.Token>>16)))
			}
		}
	}
}
