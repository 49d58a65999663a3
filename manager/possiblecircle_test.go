package manager_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A knot has callers that hold and wait without telling so by their contexts.
type knot struct {
	t      *testing.T
	m      *manager.Manager[path]
	grants map[string]treelock.Grant[path] // by node
}

func (k *knot) hold(label string, in treelock.Locker[path], node path) {
	k.grants[string(node)] = must(in.TryAcquire(k.t.Context(), treelock.Write(node).Labeled(label)))
}

func (k *knot) wait(label string, nodes ...path) {
	must(k.m.Submit(k.t.Context(), treelock.Write(nodes...).Labeled(label)))
}

func (k *knot) widen(node, by path) {
	go k.grants[string(node)].Widen(k.t.Context(), treelock.Write(by))
	synctest.Wait()
}

func TestPossibleCirclesAreNamed(t *testing.T) {
	for name, tt := range map[string]struct {
		tie  func(k *knot)
		want []string
	}{
		"two": {func(k *knot) {
			k.hold("a", k.m, "/1")
			k.hold("b", k.m, "/2")
			k.wait("a", "/2")
			k.wait("b", "/1")
		}, []string{`#3 "a" waits for #2 "b"; #2 "b" may be held by the caller of #4 "b"; ` +
			`#4 "b" waits for #1 "a"; #1 "a" may be held by the caller of #3 "a"`}},
		"one": {func(k *knot) { // a nested helper
			k.hold("a", k.m, "/1")
			k.wait("a", "/1/x")
		}, []string{`#2 "a" waits for #1 "a"; #1 "a" may be held by the caller of #2 "a"`}},
		"through a waiter without a label": {func(k *knot) {
			k.hold("a", k.m, "/1")
			k.wait("", "/1", "/2")
			k.wait("a", "/2")
		}, []string{`#2 waits for #1 "a"; #1 "a" may be held by the caller of #3 "a"; #3 "a" waits for #2`}},
		"through a grant inside": {func(k *knot) {
			k.hold("outer", k.m, "/1")
			k.hold("a", k.grants["/1"], "/1/x")
			k.wait("a", "/1")
		}, []string{`#3 "a" waits for #1 "outer"; #1 "outer" has inside it #2 "a"; #2 "a" may be held by the caller of #3 "a"`}},
		"through a widening": {func(k *knot) {
			k.hold("", k.m, "/1")
			k.hold("a", k.m, "/2")
			k.wait("a", "/1")
			k.widen("/1", "/2")
		}, []string{`#3 "a" waits for #1; #1 may be held by the caller of #4; #4 waits for #2 "a"; #2 "a" may be held by the caller of #3 "a"`}},
		"two circles": {func(k *knot) {
			k.hold("a", k.m, "/1")
			k.hold("b", k.m, "/2")
			k.wait("a", "/1")
			k.wait("b", "/2")
		}, []string{
			`#3 "a" waits for #1 "a"; #1 "a" may be held by the caller of #3 "a"`,
			`#4 "b" waits for #2 "b"; #2 "b" may be held by the caller of #4 "b"`,
		}},
		"not without labels": {func(k *knot) {
			k.hold("", k.m, "/1")
			k.wait("", "/1")
		}, nil},
		"not with several waiters of one label": {func(k *knot) { // so it names no caller
			k.hold("a", k.m, "/1")
			k.wait("a", "/1")
			k.wait("a", "/1")
		}, nil},
		"not in a line": {func(k *knot) {
			k.hold("a", k.m, "/1")
			k.hold("b", k.m, "/2")
			k.wait("a", "/2")
			k.wait("c", "/1")
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := &knot{t, manager.Start(t.Context()), map[string]treelock.Grant[path]{}}
				tt.tie(k)
				var got []string
				for _, circle := range must(k.m.Snapshot(t.Context(), manager.Query[path]{})).PossibleCircles {
					got = append(got, circle.String())
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("possible circles: -want +got:\n%s", diff)
				}
			})
		})
	}
}

// TestPossibleCirclesAreFew has more circles, and a longer one, than are shown.
func TestPossibleCirclesAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &knot{t, manager.Start(t.Context()), map[string]treelock.Grant[path]{}}
		node := func(i int) path { return treelock.PathOf(strings.Repeat("x", i+1)) }
		const long = 20
		for i := range long {
			k.hold(string(node(i)), k.m, node(i))
		}
		for i := range long {
			k.wait(string(node(i)), node((i+1)%long))
		}
		for i := range 20 {
			k.hold(string(node(long+i)), k.m, node(long+i))
			k.wait(string(node(long+i)), node(long+i))
		}
		got := must(k.m.Snapshot(t.Context(), manager.Query[path]{})).PossibleCircles
		if len(got) != 8 || len(got[0]) != 2*long || !strings.HasSuffix(got[0].String(), "; 32 more") {
			t.Errorf("%d circles, the first of %d requests: %v, want 8, and %d with an end", len(got), len(got[0]), got[0], 2*long)
		}
	})
}

func TestSlowLogNamesThePossibleCircle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, log := startSlow(t.Context(), manager.SlowLog{Wait: time.Second})
		g := must(m.Acquire(t.Context(), treelock.Write("/a").Labeled("job 1")))
		defer g.Release()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		go m.Acquire(ctx, treelock.Read("/a/b").Labeled("job 1")) // a helper that should be Inside
		synctest.Wait()
		must(m.Submit(t.Context(), treelock.Read("/a").Labeled("job 2")))
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		got := map[any]any{}
		for _, line := range log.lines(t) {
			got[line["label"]] = line["possible_circle"]
		}
		const circle = `#2 "job 1" waits for #1 "job 1"; #1 "job 1" may be held by the caller of #2 "job 1"`
		if diff := cmp.Diff(map[any]any{"job 1": circle, "job 2": nil}, got); diff != "" {
			t.Errorf("possible circles in the slow log: -want +got:\n%s", diff)
		}
	})
}
