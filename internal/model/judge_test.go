package model_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

type (
	path  = treelock.Path
	world = model.World[path]
	step  = model.Step[path]
)

func arrives(name string, req treelock.Request[path]) step {
	return func(w *world, then func(*world)) {
		if w.Arrive(name, req) == nil {
			then(w)
		}
	}
}

func leaves(name string) step {
	return func(w *world, then func(*world)) {
		w.Leave(name)
		then(w)
	}
}

// sees returns a function that accepts worlds in which exactly these requests are granted.
func sees(granted ...string) func(*world) error {
	return func(w *world) error {
		held := 0
		for _, name := range granted {
			if w.Granted(name) {
				held++
			}
		}
		if held != len(granted) || held+w.Waiting() != len(w.Live()) {
			return errors.New("not these")
		}
		return nil
	}
}

func TestJudgeFindsTheOrderThatExplainsWhatWasSeen(t *testing.T) {
	j := model.NewJudge(model.NewWorld[path](-1))
	explain := func(what string, want bool, sees func(*world) error, steps ...step) {
		t.Helper()
		if err := j.Explain(steps, sees); (err == nil) != want {
			t.Errorf("Explain(%s) = %v, want an explanation: %t", what, err, want)
		}
	}
	writers := []step{arrives("a", treelock.Write("/x")), arrives("b", treelock.Write("/x")), arrives("c", treelock.Write("/x"))}
	explain("two of three writers at once", false, sees("a", "b"), writers...)
	explain("no writer at all", false, sees(), writers...)
	explain("the third of three writers", true, sees("c"), writers...)
	if j.Worlds() != 2 {
		t.Errorf("%d states are possible, want the two orders of the waiting requests", j.Worlds())
	}
	explain("a release that wakes both", false, sees("a", "b"), leaves("c"))
	explain("a release that wakes the one", true, sees("b"), leaves("c"))
	if j.Worlds() != 1 {
		t.Errorf("%d states are possible, want one: it is known which request came first", j.Worlds())
	}
	explain("an overtaking reader", false, sees("b", "d"), arrives("d", treelock.Read("/")), leaves("a"))
	explain("a reader without blockers", true, sees("d"), arrives("d", treelock.Read("/")), leaves("a"), leaves("b"))
}

func TestJudgeSaysWhyNothingExplains(t *testing.T) {
	j := model.NewJudge(model.NewWorld[path](0))
	never := func(*world, func(*world)) {}
	if err := j.Explain([]step{never}, sees()); err == nil || !strings.Contains(err.Error(), "cannot have happened") {
		t.Errorf("Explain(what cannot happen) = %v, want an error that says so", err)
	}
	if err := j.Explain(nil, sees("none")); err == nil || err.Error() != "not these" {
		t.Errorf("Explain(what was not seen) = %v, want the error of what was seen", err)
	}
	if err := j.Explain(nil, sees()); err != nil || len(j.World().Live()) != 0 {
		t.Errorf("Explain(nothing) = %v with %v live, want nil and none", err, j.World().Live())
	}
}

// The order of requests that do not conflict makes no difference, so it must not multiply the
// states.
func TestJudgeDoesNotTellApartWhatMakesNoDifference(t *testing.T) {
	j := model.NewJudge(model.NewWorld[path](-1))
	steps := []step{
		arrives("a", treelock.Write("/a")), arrives("b", treelock.Write("/b")),
		arrives("c", treelock.Read("/c")), arrives("d", treelock.Read("/c")),
	}
	if err := j.Explain(steps, sees("a", "b", "c", "d")); err != nil || j.Worlds() != 1 {
		t.Errorf("Explain(four that do not conflict) = %v, %d states, want nil and one", err, j.Worlds())
	}
	late := []step{arrives("e", treelock.Write("/a")), arrives("f", treelock.Write("/b"))}
	if err := j.Explain(late, sees("a", "b", "c", "d")); err != nil || j.Worlds() != 1 {
		t.Errorf("Explain(two that wait for two) = %v, %d states, want nil and one", err, j.Worlds())
	}
}

func TestWorldRefusesWhatItMust(t *testing.T) {
	w := model.NewWorld[path](1)
	for _, tt := range []struct {
		what string
		got  error
		want error
	}{
		{"Arrive(a)", w.Arrive("a", treelock.Write("/a")), nil},
		{"Try(below a)", w.Let(model.Call[path]{Name: "t", Req: treelock.Read("/a/b"), Tries: true}), treelock.ErrConflict},
		{"Try(b)", w.Let(model.Call[path]{Name: "b", Req: treelock.Read("/b"), Tries: true}), nil},
		{"Arrive(below a)", w.Arrive("c", treelock.Read("/a/b")), nil},
		{"Arrive(above all), one too many", w.Arrive("d", treelock.Read("/")), treelock.ErrBusy},
		{"Arrive(nothing)", w.Arrive("e", treelock.Request[path]{}), nil},
		{"Shrink(a)", w.Shrink("a", treelock.ReadNode("/a")), nil},
		{"Shrink(a) back", w.Shrink("a", treelock.Write("/a")), treelock.ErrNotHeld},
	} {
		if tt.got != tt.want {
			t.Errorf("%s = %v, want %v", tt.what, tt.got, tt.want)
		}
	}
	w.Drain()
	if err := w.Arrive("f", treelock.Read("/f")); err != treelock.ErrDraining || w.Drained {
		t.Errorf("Arrive() while draining = %v, drained=%t, want ErrDraining and false", err, w.Drained)
	}
	for _, name := range w.Clone().Live() {
		w.Leave(name)
	}
	if !w.Drained {
		t.Errorf("drained=false after all have left, want true")
	}
	w.Stop()
	if err := w.Shrink("a", treelock.Request[path]{}); err != treelock.ErrStopped {
		t.Errorf("Shrink() after the stop = %v, want ErrStopped", err)
	}
}

func TestRequestsOutsideOfTheModelCount(t *testing.T) {
	w := model.NewWorld[path](1)
	w.SetOutside(1, 1)
	if err := w.Arrive("a", treelock.Write("/a")); err != nil {
		t.Errorf("Arrive(a) = %v, want nil", err)
	}
	if err := w.Arrive("b", treelock.Read("/a")); err != treelock.ErrBusy {
		t.Errorf("Arrive(b) = %v with one outside that waits, want ErrBusy", err)
	}
	w.Drain()
	if w.Leave("a"); w.Drained {
		t.Error("drained=true with one outside, want false")
	}
	if w.SetOutside(0, 0); !w.Drained {
		t.Error("drained=false with none outside, want true")
	}
}
