package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/rpc"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/objectfs/job"
	"github.com/treelock/treelock/examples/objectfs/store"
	"github.com/treelock/treelock/manager"
)

// A bench is a service for three workers with a store in memory, and the objects a/1 to a/3.
type bench struct {
	*service
	t *testing.T
}

func newBench(t *testing.T) bench {
	t.Helper()
	b := bench{newService(store.NewMemory(), 3, true), t}
	for i := range 3 {
		if err := b.store.Write(t.Context(), fmt.Sprintf("a/%d", i+1), []byte("a")); err != nil {
			t.Fatal(err)
		}
	}
	b.ledger.Put(t.Context(), "a", job.Version{Tree: 0, Number: 1})
	return b
}

// begun begins an operation that must be admitted.
func (b bench) begun(worker int, token uint64, label string, claims ...Claim) By {
	b.t.Helper()
	r := b.begin(worker, Begin{Token: token, Label: label, Claims: claims})
	if r.Failure != nil || r.Op == 0 {
		b.t.Fatalf("begin %s = %+v, want a number", label, r)
	}
	return By{r.Op, token}
}

func (b bench) want(r Reply, err error) {
	b.t.Helper()
	if got := r.Failure.err(); !errors.Is(got, err) || err == nil && got != nil {
		b.t.Errorf("the failure is %v, want %v", got, err)
	}
}

func (b bench) wantKeys(keys ...string) {
	b.t.Helper()
	got, err := b.store.List(b.t.Context(), "")
	if diff := cmp.Diff(keys, got); diff != "" || err != nil {
		b.t.Errorf("the store, %v: -want +got\n%s", err, diff)
	}
}

// A process is paused in the middle of writing a folder. Another one is granted the folder and
// deletes it. Then the first one goes on.
func TestLateWriterIsRefused(t *testing.T) {
	b := newBench(t)
	first := b.begun(0, 10, `write folder "a"`, Claim{"a", true})
	b.want(b.call(0, Call{By: first, Verb: read, Key: "a/1"}), nil)
	second := b.begun(1, 11, `delete folder "a"`, Claim{"a", true}) // with nothing to take over
	for i := range 3 {
		b.want(b.call(1, Call{By: second, Verb: remove, Key: fmt.Sprintf("a/%d", i+1)}), nil)
	}
	deleted := job.Transfer{From: "a", Src: []string{"a"}}
	b.want(b.record(1, Record{By: second, Transfer: deleted}), nil)
	for _, call := range []Call{
		{Verb: write, Key: "a/1"}, {Verb: read, Key: "a/1"}, {Verb: list, Key: "a"}, {Verb: remove, Key: "a/1"},
		{Verb: copies, Key: "b/1", Dst: "a/1"}, {Verb: copies, Key: "a/1", Dst: "b/1"},
	} {
		call.By = first
		b.want(b.call(0, call), errLate)
	}
	b.want(b.record(0, Record{By: first, Slot: "a", Version: job.Version{Tree: 0, Number: 2}}), errLate)
	b.want(b.versions(0, Record{By: first, Transfer: deleted}), errLate)
	b.want(b.begin(2, Begin{Token: 10, Label: "late", Claims: []Claim{{"a", false}}}), errLate)
	b.wantKeys()
	if s := b.stats[0]; s.late != 8 || s.lateWrites() != 4 {
		t.Errorf("%d late calls are counted, %d of them writes, want 8 and 4", s.late, s.lateWrites())
	}
	if versions := b.versions(1, Record{Transfer: deleted}).Versions; versions[0] != (job.Version{}) {
		t.Errorf("the ledger has %v, want nothing", versions[0])
	}
}

// What an operation has not named to the next one is fenced all the same: a copy of a to b is over
// when a is written, even if b is touched by none.
func TestDroppedOperationIsLateEverywhere(t *testing.T) {
	b := newBench(t)
	copying := b.begun(0, 10, `copy folder "a" to "b"`, Claim{"a", false}, Claim{"b", true})
	b.begun(1, 11, `write folder "a"`, Claim{"a", true})
	b.want(b.call(0, Call{By: copying, Verb: write, Key: "b/1"}), errLate)
	other := b.begun(2, 11, `write folder "b"`, Claim{"b", true}) // the least token that is not late
	b.want(b.call(2, Call{By: other, Verb: write, Key: "b/1"}), nil)
}

func TestOperationThatWasLeftHalfDoneIsTakenOverOnce(t *testing.T) {
	b := newBench(t)
	renaming := b.begun(0, 10, `rename folder "a" to "b"`, Claim{"a", true}, Claim{"b", true})
	b.want(b.call(0, Call{By: renaming, Verb: copies, Key: "a/1", Dst: "b/1"}), nil)
	r := b.begin(1, Begin{Token: 11, Label: `read folder "b"`, Claims: []Claim{{"b", false}}})
	want := []Left{{Op: renaming.Op, Label: `rename folder "a" to "b"`, Writes: []string{"a", "b"}}}
	if diff := cmp.Diff(want, r.Left); diff != "" || r.Op != 0 {
		t.Fatalf("begin in a folder that was left half written: number %d, -want +got\n%s", r.Op, diff)
	}
	take := Begin{Token: 12, Label: want[0].Label, Claims: claimsOf(true, want[0].Writes), Takes: renaming.Op}
	taken := b.begin(1, take)
	b.want(taken, nil)
	take.Token = 13
	if again := b.begin(2, take); again.Op != 0 || again.Failure != nil {
		t.Errorf("a second worker takes over the same operation: %+v", again)
	}
	b.want(b.repaired(1, By{taken.Op, 12}), nil)
	b.begun(2, 13, `read folder "b"`, Claim{"b", false})
	got := b.versions(2, Record{Transfer: job.Transfer{Src: []string{"a", "b"}}}).Versions
	if diff := cmp.Diff([]job.Version{{}, {Tree: 0, Number: 1}}, got); diff != "" {
		t.Errorf("the ledger after a rename was completed: -want +got\n%s", diff)
	}
	if b.finish(); len(b.left) != 1 || b.left[0].taker != 1 || b.left[0].changed != 1 {
		t.Errorf("left half done: %+v, want one that worker 1 took over", b.left)
	}
}

// The worker that takes over is itself killed, before it has changed anything.
func TestTakingOverIsTakenOver(t *testing.T) {
	b := newBench(t)
	deleting := b.begun(0, 10, `delete folder "a"`, Claim{"a", true})
	b.want(b.call(0, Call{By: deleting, Verb: remove, Key: "a/1"}), nil)
	b.begin(1, Begin{Token: 11, Label: `delete folder "a"`, Claims: []Claim{{"a", true}}, Takes: deleting.Op})
	r := b.begin(2, Begin{Token: 12, Label: `read folder "a"`, Claims: []Claim{{"a", false}}})
	if len(r.Left) != 1 {
		t.Fatalf("begin after a worker died that took over = %+v, want it to be taken over", r)
	}
}

func TestOperationThatEndedOrWasRecordedIsNotLeftBehind(t *testing.T) {
	b := newBench(t)
	for token, done := range []func(by By){
		func(by By) { b.end(by) },
		func(by By) {
			b.want(b.record(0, Record{By: by, Slot: "a", Version: job.Version{Tree: 0, Number: 2}}), nil)
		},
	} {
		by := b.begun(0, uint64(10+token), `write folder "a"`, Claim{"a", true})
		b.want(b.call(0, Call{By: by, Verb: write, Key: "a/1"}), nil)
		done(by)
	}
	b.begun(1, 20, `read folder "a"`, Claim{"a", false})
}

func TestRefusedOperationIsDisputedByTheLedger(t *testing.T) {
	b := newBench(t)
	by := b.begun(0, 10, `delete folder "a"`, Claim{"a", true})
	r := b.record(0, Record{By: by, Transfer: job.Transfer{From: "a", Src: []string{"a"}}, Outcome: failure(fs.ErrNotExist)})
	if err := r.Failure.err(); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an operation that did not find what is there ends with %v, want that this is wrong", err)
	}
}

func TestFailureKeepsItsKind(t *testing.T) {
	for _, err := range []error{errLate, fmt.Errorf("x: %w", fs.ErrNotExist), fs.ErrExist, treelock.ErrLost, errors.New("other")} {
		got := failure(err).err()
		if got.Error() != err.Error() {
			t.Errorf("the text is %q, want %q", got, err)
		}
		for _, kind := range kinds {
			if errors.Is(got, kind) != errors.Is(err, kind) {
				t.Errorf("%v matches %v: %t, want the same before and after", err, kind, errors.Is(got, kind))
			}
		}
	}
	if failure(nil).err() != nil {
		t.Error("no error becomes one")
	}
}

// connected returns the locker of worker 0 of b, with a manager of its own.
func (b bench) connected() *locker {
	here, there := net.Pipe()
	calls := &Calls{service: b.service}
	served := make(chan struct{})
	go func() { calls.serve(pipes{there, there}); close(served) }()
	client := rpc.NewClient(here)
	ctx, cancel := context.WithCancel(b.t.Context())
	m := manager.Start(ctx)
	b.t.Cleanup(func() { cancel(); <-m.Done(); client.Close(); <-served })
	return &locker{locks: m, remote: &remote{parent: client}}
}

// Each kind of operation that a dead process may leave is ended as it must.
func TestRepairEndsEachKindOfOperation(t *testing.T) {
	for label, test := range map[string]struct {
		writes []string
		call   Call
		keys   []string
	}{
		`rename folder "a" to "b"`: {[]string{"a", "b"}, Call{Verb: copies, Key: "a/1", Dst: "b/1"}, []string{"b/1", "b/2", "b/3"}},
		// The source is deleted in part, so all was copied. Here nothing was, to tell the two apart.
		`rename folder "a" to "b" `: {[]string{"a", "b"}, Call{Verb: remove, Key: "a/1"}, []string{"b/2", "b/3"}},
		`delete folder "a"`:         {[]string{"a"}, Call{Verb: remove, Key: "a/1"}, nil},
		`write folder "a"`:          {[]string{"a"}, Call{Verb: write, Key: "a/1"}, nil},
		`copy folder "a" to "b"`:    {[]string{"b"}, Call{Verb: copies, Key: "a/1", Dst: "b/1"}, []string{"a/1", "a/2", "a/3"}},
	} {
		b := newBench(t)
		by := b.begun(1, 0, label, claimsOf(true, test.writes)...)
		test.call.By = by
		b.want(b.call(1, test.call), nil)
		l := b.connected()
		held, err := l.Lock(t.Context(), treelock.Read("/a", "/b"))
		if err != nil {
			t.Fatalf("%s: Lock = %v", label, err)
		}
		keys, err := l.remote.List(held.Context(t.Context()), "a/")
		more, err2 := l.remote.List(held.Context(t.Context()), "b/")
		if diff := cmp.Diff(test.keys, slices.Concat(keys, more)); diff != "" || err != nil || err2 != nil {
			t.Errorf("%s was taken over, %v, %v: -want +got\n%s", label, err, err2, diff)
		}
		held.Unlock()
		if len(b.open) > 0 || len(b.left) != 1 {
			t.Errorf("%s: %d operations are open, %d were left, want 0 and 1", label, len(b.open), len(b.left))
		}
	}
}

// An operation whose grant is lost makes no further call, and is left for another process.
func TestLostGrantStopsAnOperation(t *testing.T) {
	b := newBench(t)
	l := b.connected()
	h, err := l.Lock(t.Context(), treelock.Write("/a").Labeled(`write folder "a"`))
	if err != nil {
		t.Fatal(err)
	}
	ctx := h.Context(t.Context())
	if err := l.remote.Write(ctx, "a/1", nil); err != nil {
		t.Fatal(err)
	}
	m := l.locks.(*manager.Manager[treelock.Path])
	if err := m.Revoke(t.Context(), h.(*held).grant.Number(), errors.New("test")); err != nil {
		t.Fatal(err)
	}
	if err := l.remote.Write(ctx, "a/2", nil); !errors.Is(err, treelock.ErrLost) {
		t.Errorf("a write under a lost grant: %v, want ErrLost", err)
	}
	h.Unlock()
	if b.finish(); len(b.left) != 1 || b.left[0].taker >= 0 {
		t.Errorf("left half done: %v, want the operation", b.left)
	}
}
