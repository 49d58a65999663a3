package cluster

import (
	"slices"
	"strconv"
	"strings"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A store is etcd, as far as the log uses it: keys with revisions and leases, and transactions that
// compare the control key.
type store struct {
	keys     keys
	revision int64
	kvs      map[string]*mvccpb.KeyValue
	leases   map[int64]bool // those that are alive
	history  []revision     // what a watch of the requests delivers
	noLease  bool           // keys are put without one
}

// A revision has the events of one revision, in the order of their keys.
type revision struct {
	number int64
	events []event
}

type event struct {
	kv      *mvccpb.KeyValue
	deleted bool
}

func newStore(ns string) *store {
	return &store{keys: keys{ns}, revision: 100, kvs: map[string]*mvccpb.KeyValue{}, leases: map[int64]bool{}}
}

// An answer is the answer to a transaction, in the terms of log.answered.
type answer struct {
	applied           bool
	revision, control int64
}

// control returns the number in the control key of a session, -1 if there is none.
func (s *store) control(lease int64) int64 {
	kv := s.kvs[s.keys.control(lease)]
	if kv == nil {
		return -1
	}
	n, err := strconv.ParseInt(string(kv.Value), 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// commit is the transaction t of the session of c.
func (s *store) commit(c *conn, t transaction) answer {
	if ops := c.ops(t); s.leases[t.lease] && s.holds(c.isNext(t)) {
		s.apply(ops)
		return answer{true, s.revision, -1}
	}
	return answer{false, s.revision, s.control(t.lease)}
}

// holds evaluates a condition on a value.
func (s *store) holds(cmp clientv3.Cmp) bool {
	kv := s.kvs[string(cmp.KeyBytes())]
	switch is := kv != nil && string(kv.Value) == string(cmp.ValueBytes()); cmp.GetCompare().Result {
	case etcdserverpb.Compare_EQUAL:
		return is
	case etcdserverpb.Compare_NOT_EQUAL:
		return kv != nil && !is
	}
	panic("BUG: a condition of another kind")
}

// apply applies operations at one revision.
func (s *store) apply(ops []clientv3.Op) {
	next := revision{number: s.revision + 1}
	for _, op := range ops {
		if op.IsPut() {
			next.events = append(next.events, s.put(next.number, string(op.KeyBytes()), op.ValueBytes()))
			continue
		}
		first, end := string(op.KeyBytes()), string(op.RangeBytes())
		for _, key := range s.sorted() {
			if key == first || end != "" && key >= first && key < end {
				next.events = append(next.events, s.remove(next.number, key))
			}
		}
	}
	if len(next.events) == 0 {
		return
	}
	s.revision = next.number
	next.events = slices.DeleteFunc(next.events, func(e event) bool {
		return !strings.HasPrefix(string(e.kv.Key), s.keys.requests())
	})
	slices.SortFunc(next.events, func(a, b event) int { return strings.Compare(string(a.kv.Key), string(b.kv.Key)) })
	if len(next.events) > 0 {
		s.history = append(s.history, next)
	}
}

func (s *store) put(revision int64, key string, value []byte) event {
	kv := &mvccpb.KeyValue{Key: []byte(key), Value: value, CreateRevision: revision, ModRevision: revision, Version: 1}
	if old := s.kvs[key]; old != nil {
		kv.CreateRevision, kv.Version = old.CreateRevision, old.Version+1
	}
	if r, ok := s.keys.parse(key); ok && !s.noLease {
		kv.Lease = r.lease // as conn.ops has it, which tests with servers check
	}
	s.kvs[key] = kv
	return event{kv, false}
}

func (s *store) remove(revision int64, key string) event {
	delete(s.kvs, key)
	return event{&mvccpb.KeyValue{Key: []byte(key), ModRevision: revision}, true}
}

func (s *store) sorted() (all []string) {
	for key := range s.kvs {
		all = append(all, key)
	}
	slices.Sort(all)
	return all
}

// grant grants a lease and puts the control key, as the start of a session does.
func (s *store) grant(lease int64) {
	s.leases[lease] = true
	s.apply([]clientv3.Op{clientv3.OpPut(s.keys.control(lease), "0")})
}

// expire ends a lease: all keys of its session go in one revision.
func (s *store) expire(lease int64) {
	delete(s.leases, lease)
	session := s.keys.control(lease)
	requests := strings.TrimSuffix(s.keys.of(lease, 0), "0")
	s.apply([]clientv3.Op{clientv3.OpDelete(session), clientv3.OpDelete(requests, clientv3.WithPrefix())})
}

// revoke is what another process does to ask the owner of a request to end it.
func (s *store) revoke(key requestKey, created int64, cause string) {
	if kv := s.kvs[s.keys.batch(key.lease, key.n)]; kv != nil && kv.CreateRevision == created {
		s.apply([]clientv3.Op{clientv3.OpPut(s.keys.text(key), cause)})
	}
}

// list returns all requests, as a read of their keys does.
func (s *store) list() (all []event) {
	for _, key := range s.sorted() {
		if strings.HasPrefix(key, s.keys.requests()) {
			all = append(all, event{kv: s.kvs[key]})
		}
	}
	return all
}
