package treelock_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

var errOwn = errors.New("own")

func TestDoReleasesHoweverTheFunctionEnds(t *testing.T) {
	m := manager.Start(t.Context())
	for name, f := range map[string]func(context.Context) error{
		"returns": func(context.Context) error { return errOwn },
		"panics":  func(context.Context) error { panic(errOwn) },
	} {
		func() {
			defer func() { _ = recover() }()
			err := treelock.Do(t.Context(), m, treelock.Write("/a"), func(ctx context.Context) error {
				if g, ok := treelock.FromContext[treelock.Path](ctx); !ok || !g.Holds(treelock.Write("/a")) {
					t.Errorf("%s: the context carries %v, want the grant", name, g)
				}
				return f(ctx)
			})
			if !errors.Is(err, errOwn) {
				t.Errorf("%s: Do() = %v, want the error of the function", name, err)
			}
		}()
		if live := m.Stats().Live; live != 0 {
			t.Errorf("%s: %d requests are live, want none", name, live)
		}
	}
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errOwn)
	err := treelock.Do(ended, m, treelock.Write("/a"), func(context.Context) error { panic("called") })
	if !errors.Is(err, treelock.ErrGaveUp) || !errors.Is(err, errOwn) {
		t.Errorf("Do() = %v, want ErrGaveUp and the cause", err)
	}
}

func TestContextCarriesAllGrantsOfOneNodeType(t *testing.T) {
	ctx := t.Context()
	m, keys := manager.Start(ctx), manager.StartNodes[treelock.Key[string]](ctx)
	if g, ok := treelock.FromContext[treelock.Path](ctx); ok {
		t.Errorf("a bare context carries %v", g)
	}
	outer, inner := acquire(t, m, treelock.Write("/a")), acquire(t, m, treelock.Write("/b"))
	key := acquire(t, keys, treelock.For[treelock.Key[string]]().Write(treelock.Key[string]{Value: "k"}))
	ctx = treelock.NewContext(treelock.NewContext(treelock.NewContext(ctx, outer), key), inner)
	if g, ok := treelock.FromContext[treelock.Path](ctx); !ok || g != inner {
		t.Errorf("FromContext() = %v, %t, want the innermost grant", g, ok)
	}
	if got := slices.Collect(treelock.GrantsOf[treelock.Path](ctx)); !slices.Equal(got, []treelock.Grant[treelock.Path]{inner, outer}) {
		t.Errorf("GrantsOf() = %v, want the inner one and the outer one", got)
	}
	if g, ok := treelock.FromContext[treelock.Key[string]](ctx); !ok || g != key {
		t.Errorf("FromContext() = %v, %t, want the grant of the key", g, ok)
	}
}

func acquire[N treelock.Node[N]](t *testing.T, l treelock.Locker[N], req treelock.Request[N]) treelock.Grant[N] {
	t.Helper()
	g, err := l.TryAcquire(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestInsideUsesTheInnermostGrantThatHoldsTheRequest(t *testing.T) {
	ctx := t.Context()
	m, other := manager.Start(ctx), manager.Start(ctx)
	outer := acquire(t, m, treelock.Write("/a", "/b"))
	inner := acquire(t, outer, treelock.Write("/a"))
	foreign := acquire(t, other, treelock.Write("/"))
	over := acquire(t, m, treelock.Write("/c"))
	over.Release()
	for _, g := range []treelock.Grant[treelock.Path]{outer, inner, foreign, over} {
		ctx = treelock.NewContext(ctx, g)
	}
	for _, tt := range []struct {
		locker treelock.Locker[treelock.Path]
		node   treelock.Path
		around treelock.Grant[treelock.Path] // what the request must be inside; zero: m itself
	}{
		{m, "/a/x", inner},
		{m, "/b/x", outer},
		{m, "/c", treelock.Grant[treelock.Path]{}},
		{treelock.Inside(ctx, m), "/a/x", inner},
		{outer, "/a/x", inner},
		{other, "/a/x", foreign},
	} {
		g := acquire(t, treelock.Inside(ctx, tt.locker), treelock.Write(tt.node))
		// A conflicting request is refused exactly where the grant is.
		places := map[treelock.Grant[treelock.Path]]treelock.Locker[treelock.Path]{
			inner: inner, outer: outer, foreign: foreign, {}: m,
		}
		if _, err := places[tt.around].TryAcquire(t.Context(), treelock.Read(tt.node)); !errors.Is(err, treelock.ErrConflict) {
			t.Errorf("Inside().TryAcquire(%s): %v at the expected place, want ErrConflict", tt.node, err)
		}
		g.Release()
	}
	wrapped := struct{ treelock.Locker[treelock.Path] }{m}
	if got := treelock.Inside[treelock.Path](ctx, wrapped); got != treelock.Locker[treelock.Path](wrapped) {
		t.Errorf("Inside() of a Locker of another type = %T, want that Locker", got)
	}
}

func TestAcquireFuncStartsOverUntilTheRequestStays(t *testing.T) {
	m := manager.Start(t.Context())
	ways := []treelock.Path{"/a", "/b", "/b", "/c"}
	calls := 0
	grant, err := treelock.AcquireFunc(t.Context(), m, func(context.Context) (treelock.Request[treelock.Path], error) {
		calls++
		return treelock.Write(ways[calls-1]), nil
	})
	if err != nil || calls != 3 || !grant.Holds(treelock.Write("/b")) || m.Stats().Live != 1 {
		t.Errorf("AcquireFunc() = %v, %v after %d calls, want /b held after 3", grant, err, calls)
	}
}

func TestAcquireFuncHoldsNothingWhenItFails(t *testing.T) {
	m := manager.Start(t.Context())
	acquire(t, m, treelock.Write("/held"))
	type result struct {
		Panicked bool
		Err      error
		Live     int
	}
	for name, tt := range map[string]struct {
		failAt int
		fail   func() error
		want   result
	}{
		"at first":         {1, func() error { return errOwn }, result{Err: errOwn, Live: 1}},
		"while it holds":   {2, func() error { return errOwn }, result{Err: errOwn, Live: 1}},
		"panics at first":  {1, func() error { panic("mine") }, result{Panicked: true, Live: 1}},
		"panics as holder": {2, func() error { panic("mine") }, result{Panicked: true, Live: 1}},
	} {
		calls, got := 0, result{Panicked: true}
		func() {
			defer func() { _ = recover() }()
			_, got.Err = treelock.AcquireFunc(t.Context(), m, func(context.Context) (treelock.Request[treelock.Path], error) {
				if calls++; calls == tt.failAt {
					return treelock.Request[treelock.Path]{}, tt.fail()
				}
				return treelock.Write("/a"), nil
			})
			got.Panicked = false
		}()
		got.Live = m.Stats().Live
		if diff := cmp.Diff(tt.want, got, cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) })); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := treelock.AcquireFunc(ended, m, func(context.Context) (treelock.Request[treelock.Path], error) {
		return treelock.Write("/a"), nil
	})
	if !errors.Is(err, treelock.ErrGaveUp) {
		t.Errorf("AcquireFunc() under an ended context = %v, want ErrGaveUp", err)
	}
}

func TestDeadlockErrorNamesTheCircle(t *testing.T) {
	write := func(p treelock.Path) treelock.Claim[treelock.Path] { return treelock.Write(p).Claim(0) }
	read := func(p treelock.Path) treelock.Claim[treelock.Path] { return treelock.Read(p).Claim(0) }
	err := &treelock.DeadlockError[treelock.Path]{
		Op: "acquire", Label: "rename 17", Claims: []treelock.Claim[treelock.Path]{write("/b")},
		Circle: []treelock.DeadlockStep[treelock.Path]{
			{Number: 9, Label: "rename 17", Wanted: write("/b"), Claim: read("/b")},
			{Number: 4, Wanted: write("/a/x"), Claim: write("/a")},
			{Number: 3, Label: "job", Link: treelock.LinkInside},
			{Number: 5, Link: treelock.LinkSuspend},
			{Number: 6, Link: treelock.LinkHolder},
		},
	}
	const want = `treelock: acquire "rename 17" (write /b): deadlock: ` +
		`#9 "rename 17" waits to write /b until #4 ends (read /b); ` +
		`#4 waits to write /a/x until #3 "job" ends (write /a); ` +
		`#3 "job" lasts until #5 inside it ends; ` +
		`#5 is held by the caller of a suspend until #6 ends; ` +
		`#6 is held by the caller of #9 "rename 17"`
	if got := err.Error(); got != want {
		t.Errorf("Error() =\n%s\nwant\n%s", got, want)
	}
	if !errors.Is(err, treelock.ErrDeadlock) {
		t.Error("a DeadlockError is not ErrDeadlock")
	}
}
