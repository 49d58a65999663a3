package cluster

import (
	"errors"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// tamperedWorld is a world in which A holds /a, by request 0 of batch 1, and /b, by request 1. B
// waits for both.
func tamperedWorld() *world {
	w := newWorld([][]plan{
		{{claims: write("/a"), narrower: write("/a/x")}, {claims: write("/b")}},
		{{claims: write("/a")}, {claims: write("/b")}},
		nil,
	}, budget{})
	for range 2 {
		w.take(step{kind: stepPropose, a: 0, lazy: true})
	}
	w.processes[0].settle()
	w.run(isPlain(0))
	for range 2 {
		w.take(step{kind: stepPropose, a: 1, lazy: true})
	}
	w.processes[1].settle()
	w.run(isPlain(1))
	w.run(isPlain(0))
	return w
}

// isPlain says which steps bring all that process a has said into the log, and to it.
func isPlain(a int) func(step) bool {
	return func(s step) bool { return s.a == a && s.kind >= stepCommit && s.kind <= stepLinger }
}

// tamper writes a key as no session does, and lets all processes see that: those that are there,
// and C, which begins a new session. No two requests that conflict may be held after that.
func tamper(w *world, ops ...clientv3.Op) {
	w.foreign = true
	w.store.apply(ops)
	a, b, c := w.processes[0], w.processes[1], w.processes[2]
	for _, p := range []*process{a, b} {
		for p.log.session != nil && len(p.nextEvents()) > 0 {
			p.deliver(0)
		}
		p.settle()
	}
	c.log.lose(errGone)
	c.settle()
	c.begin()
	c.relist(0)
	for _, p := range []*process{a, b} {
		if p.log.session == nil {
			p.begin()
			p.relist(0)
		}
	}
}

func TestForeignValueEndsTheSessionOfItsKey(t *testing.T) {
	for _, test := range []struct {
		name string
		ops  func(k keys, lease int64) []clientv3.Op
		lost bool // A is
	}{
		{"a batch that is none", put(keys.batch, 1, "x"), true},
		{"a later batch that is none", put(keys.batch, 9, "x"), true},
		{"a batch of a later format", put(keys.batch, 9, "\x03"), true},
		{"a batch that A has not written", put(keys.batch, 9, string(batchSeeds()[0])), true},
		{"another batch in place of one", put(keys.batch, 1, string(batchSeeds()[0])), true},
		{"an amendment that is none", put(keys.amendment, 1, "x"), true},
		{"an amendment of no batch that is none", put(keys.amendment, 9, "x"), true},
		{"an amendment of no batch", put(keys.amendment, 9, string(amendmentSeeds()[2])), false},
		{"an end of a live request", put(keys.amendment, 1, string(amendment{ended: []int{0}}.value())), true},
		{"an end of a request that is none", put(keys.amendment, 1, string(amendment{ended: []int{2}}.value())), true},
		{"a narrowing of a request that is none", put(keys.amendment, 1, string(amendment{narrowed: []narrowing{{2, nil}}}.value())), true},
		{"a narrowing", put(keys.amendment, 1, string(amendment{narrowed: []narrowing{{0, write("/a/y")}}}.value())), true},
		{"a narrowing to more", put(keys.amendment, 1, string(amendment{narrowed: []narrowing{{0, write("/")}}}.value())), true},
		{"an amendment that says nothing", put(keys.amendment, 1, string(amendment{}.value())), false},
		{"a revocation of a request that is none", put(func(k keys, lease, n int64) string { return k.revocation(lease, n, 2) }, 1, "x"), false},
		{"a revocation with a wrong index", put(func(k keys, lease, n int64) string { return k.of(lease, n) + "/x/-1" }, 1, "x"), false},
		{"a key that is none", put(func(k keys, lease, n int64) string { return k.of(lease, n) + "/a/a" }, 1, "x"), false},
		{"a deleted batch", func(k keys, lease int64) []clientv3.Op {
			return []clientv3.Op{clientv3.OpDelete(k.batch(lease, 1))}
		}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := tamperedWorld()
			if w.items[0].state != grantedState || w.items[3].state != waitingState {
				t.Fatalf("A has %d, B has %d", w.items[0].state, w.items[3].state)
			}
			lease := w.processes[0].lease
			if broken := catch(func() { tamper(w, test.ops(w.store.keys, lease)...) }); broken != "" {
				t.Error(broken)
			}
			for _, i := range w.items[:2] {
				if lost := i.state == lostState; lost != test.lost {
					t.Errorf("%v is lost: %t, want %t", i, lost, test.lost)
				}
			}
			checkExclusion(t, w)
		})
	}
}

// A key that is attached to no lease would stay when its session has ended.
func TestKeyWithoutTheLeaseOfItsSessionEndsThat(t *testing.T) {
	for _, key := range []func(k keys, lease, n int64) string{keys.batch, keys.amendment} {
		w := tamperedWorld()
		w.store.noLease = true
		if broken := catch(func() { tamper(w, put(key, 5, string(batchSeeds()[0]))(w.store.keys, 77)...) }); broken != "" {
			t.Error(broken)
		}
		for _, i := range w.items {
			if i.state == lostState {
				t.Errorf("%v is lost by a key of another session", i)
			}
		}
		for _, p := range w.processes {
			if other := p.log.peers[77]; other != nil && len(other.batches) > 0 {
				t.Errorf("%s takes a request for live that no lease ends", p.name)
			}
		}
		tamper(w, put(key, 5, string(batchSeeds()[0]))(w.store.keys, 1)...)
		if w.items[0].state != lostState {
			t.Error("A goes on, and others take it for over")
		}
		checkExclusion(t, w)
	}
}

func TestListOlderThanTheMirrorEndsTheSession(t *testing.T) {
	w := tamperedWorld()
	a := w.processes[0]
	a.log.list(a.log.revision, a.changes(w.store.list(), 0))
	if w.items[0].state != grantedState {
		t.Fatal("lost by a list of the same revision")
	}
	a.log.list(a.log.revision-1, a.changes(w.store.list(), 0))
	if w.items[0].state != lostState || !errors.Is(a.cause, errRestored) {
		t.Errorf("state %d, because of %v", w.items[0].state, a.cause)
	}
}

// A list may be the first that this process hears of its own batch, or that it would have heard.
func TestBatchDeletedBeforeItWasSeenEndsTheSession(t *testing.T) {
	w := newWorld([][]plan{{{claims: write("/a")}}}, budget{relist: 2})
	a := w.processes[0]
	a.propose()
	a.settle()
	before := w.store.revision
	a.take(step{kind: stepCommit})
	a.take(step{kind: stepAnswer})
	a.log.list(before, nil)
	if w.items[0].state != proposedState {
		t.Fatal("lost by a list that is older than the batch")
	}
	w.store.apply([]clientv3.Op{clientv3.OpDelete(w.store.keys.batch(a.lease, 1))})
	a.relist(0)
	if w.items[0].state != lostState || !errors.Is(a.cause, errDeleted) {
		t.Errorf("state %d, because of %v", w.items[0].state, a.cause)
	}
}

// What is asked for a revision must not believe an empty mirror.
func TestMirrorOfALostSessionHasNoRevision(t *testing.T) {
	w := tamperedWorld()
	a := w.processes[0]
	w.store.apply([]clientv3.Op{clientv3.OpDelete(w.store.keys.batch(a.lease, 1))})
	a.deliver(0)
	if a.log.session != nil || a.log.revision != 0 {
		t.Errorf("session %v, revision %d", a.log.session, a.log.revision)
	}
}

func put(key func(k keys, lease, n int64) string, n int64, value string) func(keys, int64) []clientv3.Op {
	return func(k keys, lease int64) []clientv3.Op { return []clientv3.Op{clientv3.OpPut(key(k, lease, n), value)} }
}

func checkExclusion(t *testing.T, w *world) {
	t.Helper()
	for _, i := range w.items {
		for _, j := range w.items {
			if i != j && i.state == grantedState && j.state == grantedState && conflict(i.holds, j.holds) {
				t.Errorf("%v and %v hold at once", i, j)
			}
		}
	}
}

// FuzzForeignValue writes any value to any key of a session. That crashes no process, and no two
// requests that conflict are held when all have seen it.
func FuzzForeignValue(f *testing.F) {
	for i, seeds := range [][][]byte{batchSeeds(), amendmentSeeds()} {
		for _, seed := range seeds {
			f.Add(byte(i), "1", seed)
			f.Add(byte(i), "2", seed)
		}
	}
	f.Add(byte(2), "-1", []byte("cause"))
	f.Fuzz(func(t *testing.T, kind byte, number string, value []byte) {
		w := tamperedWorld()
		key := w.store.keys.of(w.processes[0].lease, 1) + "/x/" + number
		if kind < 2 {
			key = w.store.keys.requests() + "0000000000000001/" + number + "/" + "ad"[kind:kind+1]
		}
		if broken := catch(func() { tamper(w, clientv3.OpPut(key, string(value))) }); broken != "" {
			t.Error(broken)
		}
		checkExclusion(t, w)
	})
}

// A list may show that the session is lost, and that what its requests wait for has ended: then
// another process may have been granted the same.
func TestListThatLosesASessionGrantsItNothing(t *testing.T) {
	for name, ops := range map[string]func(k keys, lease int64) []clientv3.Op{
		"a deleted batch": func(k keys, lease int64) []clientv3.Op {
			return []clientv3.Op{clientv3.OpDelete(k.batch(lease, 1))}
		},
		"a bad value": put(keys.batch, 1, "x"),
	} {
		w := tamperedWorld()
		w.foreign = true
		a, b := w.processes[0], w.processes[1]
		w.store.apply(append(ops(w.store.keys, b.lease), clientv3.OpDelete(w.store.keys.batch(a.lease, 1))))
		b.relist(0)
		for _, i := range w.items[2:] {
			if i.state != lostState || i.token != 0 {
				t.Errorf("%s: %v has state %d and token %d, want lost and never granted", name, i, i.state, i.token)
			}
		}
	}
}
