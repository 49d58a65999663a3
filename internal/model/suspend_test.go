package model_test

import (
	"slices"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

func TestSuspensionsAreAListOfWhatIsRefused(t *testing.T) {
	w := model.NewWorld[path](-1)
	arrive := func(name string, req treelock.Request[path], want error) {
		t.Helper()
		if err := w.Arrive(name, req); err != want {
			t.Errorf("Arrive(%s) = %v, want %v", name, err, want)
		}
	}
	arrive("holder", treelock.Write("/a/1"), nil)
	w.Suspend("one", "/a", "/b")
	w.Suspend("two", "/b/x")
	if over, _ := w.Suspended("one"); over || !slices.Equal(w.LiveIn("one"), []string{"holder"}) {
		t.Errorf("over=%t with %v live, want false and the holder", over, w.LiveIn("one"))
	}
	if over, _ := w.Suspended("two"); !over {
		t.Error("over=false, and nothing is live there")
	}
	arrive("a", treelock.ReadNode("/a/2"), treelock.ErrSuspended)
	arrive("b", treelock.Read("/"), treelock.ErrSuspended)
	arrive("c", treelock.WriteNode("/"), nil)
	if err := w.Let(model.Call[path]{Name: "w", Widens: "c", Req: treelock.Read("/b/y")}); err != treelock.ErrSuspended {
		t.Errorf("a widening: %v, want ErrSuspended", err)
	}
	w.Leave("holder")
	if over, _ := w.Suspended("one"); !over {
		t.Error("over=false after the last one has left")
	}
	w.Resume("one")
	arrive("d", treelock.Read("/b/x/1"), treelock.ErrSuspended)
	arrive("e", treelock.Read("/b/y"), nil)
	w.Resume("two")
	arrive("f", treelock.Read("/b"), nil)
}

func TestSuspendUnderAGrantClosesCircles(t *testing.T) {
	for _, tt := range []struct {
		what string
		live treelock.Request[path]
		want error
	}{
		{"a request that waits for the grant", treelock.Write("/a", "/g"), treelock.ErrDeadlock},
		{"one that does not", treelock.Write("/a"), nil},
		{"one that waits elsewhere", treelock.Write("/g"), nil},
	} {
		w := model.NewWorld[path](-1)
		w.Arrive("g", treelock.Write("/g"))
		w.Arrive("live", tt.live)
		w.Suspend("s", "/a")
		if err := w.SuspendUnder("s", "g", "over"); err != tt.want {
			t.Errorf("%s: %v, want %v", tt.what, err, tt.want)
		}
	}
}
