package clustertest

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/treelock/treelock"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A model is the state of the log at a revision, as naive as can be. It reads the values by itself
// and shares no code with package cluster. A session is that of a lease.
type model struct {
	requests []*modelled // in the order of their tokens
	fenced   map[string]bool
}

// A modelled request is one that the log has, or had.
type modelled struct {
	session string
	batch   string // its number
	index   int
	name    string // of its process
	label   string
	token   uint64
	claims  []Claim
	over    bool
}

// A revision is what one revision of etcd did to the keys below a prefix.
type revision struct {
	number int64
	events []*clientv3.Event
}

// apply applies the events of a revision. It returns the sessions that are fenced now, as they have
// written bad values.
func (m *model) apply(r revision, prefix string) (fenced []string) {
	for _, e := range r.events {
		parts := strings.Split(strings.TrimPrefix(string(e.Kv.Key), prefix+"/q/"), "/")
		if len(parts) < 3 {
			continue // no key of a session
		}
		session, batch, kind := parts[0], parts[1], parts[2]
		switch {
		case e.Type == clientv3.EventTypeDelete && kind == "a":
			m.end(func(q *modelled) bool { return q.session == session && q.batch == batch })
		case e.Type == clientv3.EventTypeDelete || m.fenced[session] || kind != "a" && kind != "d":
		case e.Kv.Lease != leaseOf(session) || !m.put(e, session, batch, kind):
			m.fenced[session] = true
			m.end(func(q *modelled) bool { return q.session == session })
			fenced = append(fenced, session)
		}
	}
	return fenced
}

// end ends requests.
func (m *model) end(which func(*modelled) bool) {
	for _, q := range m.requests {
		q.over = q.over || which(q)
	}
	m.forget()
}

// forget drops what is over, so that the model stays small.
func (m *model) forget() {
	var kept []*modelled
	for _, q := range m.requests {
		if !q.over {
			kept = append(kept, q)
		}
	}
	m.requests = kept
}

// put applies a value. It returns false if no session writes such a one.
func (m *model) put(e *clientv3.Event, session, batch, kind string) (ok bool) {
	defer func() {
		if recover() != nil { // the value is shorter than it says
			ok = false
		}
	}()
	v := &value{e.Kv.Value}
	version := v.number()
	if kind == "a" {
		switch {
		case version == 2 && v.number() > 0: // the time, which decides nothing
		case version != 1:
			return false
		}
		name := v.text()
		for i := range v.number() {
			q := &modelled{session: session, batch: batch, index: i, name: name, label: v.text(), claims: v.claims()}
			q.token = uint64(e.Kv.ModRevision)*65536 + uint64(i)
			m.requests = append(m.requests, q)
		}
		return e.Kv.Version == 1 && len(v.rest) == 0
	}
	if version != 1 {
		return false
	}
	of := func(index int) *modelled {
		for _, q := range m.requests {
			if q.session == session && q.batch == batch && q.index == index {
				return q
			}
		}
		return &modelled{} // it was over before
	}
	next := 0
	for range v.number() {
		next += v.number() + 1
		of(next - 1).over = true
	}
	next = 0
	for range v.number() {
		next += v.number() + 1
		of(next - 1).claims = v.claims()
	}
	m.forget()
	return len(v.rest) == 0
}

// blocker returns the first earlier conflicting request of q that is live, nil if q is granted. A
// process knows more than the log of its own requests: which it has ended, and which it has
// narrowed.
func (m *model) blocker(q *modelled, gone map[uint64]bool, narrowed map[uint64][]Claim) *modelled {
	for _, earlier := range m.requests {
		claims, ok := narrowed[earlier.token]
		if !ok {
			claims = earlier.claims
		}
		if earlier.token < q.token && !gone[earlier.token] && conflict(claims, q.claims) {
			return earlier
		}
	}
	return nil
}

// find returns the live request with a token, nil if there is none.
func (m *model) find(token uint64) *modelled {
	for _, q := range m.requests {
		if q.token == token {
			return q
		}
	}
	return nil
}

// conflict reports whether two claims share a node that one of them writes.
func conflict(a, b []Claim) bool {
	for _, c := range a {
		for _, d := range b {
			if (covers(c, d.Node) || covers(d, c.Node)) && (c.Access == treelock.Exclusive || d.Access == treelock.Exclusive) {
				return true
			}
		}
	}
	return false
}

// leaseOf returns the lease of a session, 0 if it is none.
func leaseOf(session string) int64 {
	lease, _ := strconv.ParseUint(session, 16, 64)
	return int64(lease)
}

func sessionOf(lease int64) string { return fmt.Sprintf("%016x", uint64(lease)) }

// A value is read from its beginning. It panics if it is too short.
type value struct{ rest []byte }

func (v *value) number() int {
	n, size := binary.Uvarint(v.rest)
	if size <= 0 {
		panic("no number")
	}
	v.rest = v.rest[size:]
	return int(n)
}

func (v *value) text() string {
	n := v.number()
	text := string(v.rest[:n])
	v.rest = v.rest[n:]
	return text
}

func (v *value) claims() (claims []Claim) {
	for range v.number() {
		bits := v.number()
		claims = append(claims, Claim{Scope: treelock.Scope(bits >> 1), Access: treelock.Access(bits & 1), Node: treelock.Path(v.text())})
	}
	return claims
}
