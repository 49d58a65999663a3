package manager_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A cabinet is a node that is a pointer, with state that belongs to the holder of the lock.
type cabinet struct{ files map[int]int }

func (*cabinet) Parent() (*cabinet, bool) { return nil, false }

// TestErrorsDoNotReadThroughNodes is for the race detector: the holder writes to its node while
// another client formats its refusal.
func TestErrorsDoNotReadThroughNodes(t *testing.T) {
	m := manager.StartNodes[*cabinet](t.Context())
	c := &cabinet{files: map[int]int{}}
	req := treelock.Request[*cabinet]{}.Write(c)
	must(m.Acquire(t.Context(), req))
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				c.files[i%100] = i
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	for range 100 {
		_, err := m.TryAcquire(t.Context(), req)
		snapshot, snapErr := m.Snapshot(t.Context(), manager.Query[*cabinet]{})
		if snapErr != nil {
			t.Fatal(snapErr)
		}
		text, jsonErr := json.Marshal(snapshot)
		for _, got := range []string{err.Error(), string(text), req.String()} {
			if !strings.Contains(got, "*manager_test.cabinet(0x") {
				t.Fatalf("the text is %s, %v, want type and address in it", got, jsonErr)
			}
		}
	}
}

func TestDistinctPathsStayDistinctInSnapshots(t *testing.T) {
	m := manager.Start(t.Context())
	must(m.TryAcquire(t.Context(), treelock.Write("/caf\xe9")))
	must(m.TryAcquire(t.Context(), treelock.Write("/caf\xe8")))
	snapshot := must(m.Snapshot(t.Context(), manager.Query[path]{}))
	text := must(json.Marshal(snapshot))
	var again manager.Snapshot[path]
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	for i, want := range []path{"/caf\xe9", "/caf\xe8"} {
		if got := again.Holders[i].Claims[0].Node; got != want {
			t.Errorf("holder %d has %q after a round through JSON, want %q", i, got, want)
		}
	}
}

func TestGrantIsNamedByNumberAndToken(t *testing.T) {
	m := manager.Start(t.Context(), manager.WithFirstToken(1001))
	first := must(m.TryAcquire(t.Context(), treelock.Write("/a")))
	waiting := must(m.Submit(t.Context(), treelock.Write("/a")))
	third := must(m.TryAcquire(t.Context(), treelock.Write("/b")))
	first.Release()
	second := <-waiting.Granted()
	for _, test := range []struct {
		grant         treelock.Grant[path]
		number, token uint64
		text          string
	}{
		{treelock.Grant[path]{}, 0, 0, "no grant"},
		{first, 1, 1001, "grant #1 (token 1001)"},
		{second, 2, 1003, "grant #2 (token 1003)"},
		{third, 3, 1002, "grant #3 (token 1002)"},
	} {
		if g := test.grant; g.Number() != test.number || g.Token() != test.token || g.String() != test.text {
			t.Errorf("the grant is %v with number %d and token %d, want %s", g, g.Number(), g.Token(), test.text)
		}
	}
	_, err := m.TryAcquire(t.Context(), treelock.Read("/b"))
	if got := blockedBy(t, err).Blockers[0].Number; got != third.Number() {
		t.Errorf("the error names #%d, want the number %d of the grant", got, third.Number())
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "grant", second)
	if want := `"grant":{"number":2,"token":1003}`; !strings.Contains(log.String(), want) {
		t.Errorf("the log has %s, want %s", log.String(), want)
	}
}

// A silent context is done and says that it has no error.
type silent struct{ context.Context }

func (silent) Err() error { return nil }
func (silent) Done() <-chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}

func TestContextWithoutErrorGetsASensibleText(t *testing.T) {
	m := manager.Start(t.Context())
	must(m.TryAcquire(t.Context(), treelock.Write("/a")))
	_, err := m.Acquire(silent{context.Background()}, treelock.Read("/a").Labeled("x"))
	want := `treelock: acquire "x" (read /a): the context is done, and its Err is nil`
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("Acquire() = %v, want %s", err, want)
	}
}

func TestEveryErrorIsOneLineAndNamesItsRequest(t *testing.T) {
	cause := errors.New("first\nsecond\u202e")
	ctx, cancel := context.WithCancelCause(t.Context())
	m := manager.Start(ctx, manager.WithBlockers(0), manager.WithMaxWaiting(0))
	must(m.TryAcquire(t.Context(), treelock.Write("/a")))
	req := treelock.Read("/a\n", "/a").Labeled("l\n")
	ended, end := context.WithCancelCause(t.Context())
	end(cause)
	check := func(err error, target error, op, why string) {
		t.Helper()
		want := "treelock: " + op + ` "l\n" (read "/a\n", read /a): ` + why
		if !errors.Is(err, target) || err.Error() != want {
			t.Errorf("the error is %v, want %s", err, want)
		}
	}
	_, err := m.TryAcquire(t.Context(), req)
	check(err, treelock.ErrConflict, "try to acquire", "an earlier conflicting request is live")
	_, err = m.Submit(t.Context(), req)
	check(err, treelock.ErrBusy, "submit", "too many requests are waiting")
	_, err = m.Acquire(ended, req)
	check(err, cause, "acquire", `context canceled: first\nsecond\u202e`)
	cancel(cause)
	<-m.Done()
	_, err = m.Acquire(t.Context(), req)
	check(err, treelock.ErrStopped, "acquire", `the manager has stopped: first\nsecond\u202e`)
}

// TestNarrowKeepsNumberTokenAndLabel also checks the token after the largest.
func TestNarrowKeepsNumberTokenAndLabel(t *testing.T) {
	m := manager.Start(t.Context(), manager.WithFirstToken(math.MaxUint64))
	g := must(m.TryAcquire(t.Context(), treelock.Write("/a").Labeled("first")))
	if err := g.Narrow(treelock.Read("/a/b").Labeled("second")); err != nil {
		t.Fatal(err)
	}
	live := must(m.Snapshot(t.Context(), query{})).Holders[0]
	if live.Label != "first" || live.Number != g.Number() || g.Token() != math.MaxUint64 || live.Claims[0].Node != "/a/b" {
		t.Errorf("after Narrow: %+v, token %d, want the label, the number and the token of before", live, g.Token())
	}
	if next := must(m.TryAcquire(t.Context(), treelock.Read("/x"))).Token(); next != 0 {
		t.Errorf("the token after the largest is %d, want 0, as the doc says", next)
	}
}
