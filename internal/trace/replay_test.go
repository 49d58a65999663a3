package trace_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/trace"
)

type step = trace.Step[string]

// writes returns the claim that writes the subtree of a child of the root.
func writes(child string) []trace.Claim[string] {
	return []trace.Claim[string]{{Lineage: []string{child, "root"}, Access: treelock.Exclusive}}
}

func granted(number, token uint64) trace.Answer {
	return trace.Answer{Arrived: number, Granted: []trace.Grant{{Number: number, Token: token}}}
}

// history is what a right manager does: a grant, one that waits for it, one inside it, and the end.
func history() []step {
	return []step{
		{Kind: trace.Acquire, Claims: writes("a"), MayWait: true, Answer: granted(1, 7), Live: 1},
		{Kind: trace.Acquire, Claims: writes("a"), MayWait: true, Answer: trace.Answer{Arrived: 2}, Live: 2, Waiting: 1},
		{Kind: trace.Acquire, Number: 1, Claims: writes("a"), Answer: granted(3, 7), Live: 3, Waiting: 1},
		{Kind: trace.Acquire, Number: 1, Claims: writes("a"), MayWait: true, Answer: trace.Answer{Arrived: 4}, Live: 4, Waiting: 2},
		{Kind: trace.Release, Number: 1, Answer: trace.Answer{
			Failed: []trace.Failure{{4, treelock.ErrReleased}}, Ended: []uint64{4},
		}, Live: 3, Waiting: 1},
		{Kind: trace.Release, Number: 3, Answer: trace.Answer{
			Ended: []uint64{3, 1}, Granted: []trace.Grant{{Number: 2, Token: 8}},
		}, Live: 1},
		{Kind: trace.Acquire, Number: 1, Claims: writes("a"), Answer: trace.Answer{Err: treelock.ErrReleased}, Live: 1},
		{Kind: trace.Drain, Live: 1},
		{Kind: trace.Acquire, Claims: writes("b"), Answer: trace.Answer{Err: treelock.ErrDraining}, Live: 1},
		{Kind: trace.Release, Number: 2, Answer: trace.Answer{Ended: []uint64{2}}, Drained: true},
	}
}

// replay returns the first error of a replay of steps.
func replay(steps []step) error {
	r := trace.New[string](trace.Options{MaxWaiting: -1, FirstToken: 7})
	for _, s := range steps {
		if err := r.Do(s); err != nil {
			return err
		}
	}
	return nil
}

func TestReplayAcceptsARightManager(t *testing.T) {
	if err := replay(history()); err != nil {
		t.Error(err)
	}
}

func TestReplayFindsEachWrongAnswer(t *testing.T) {
	for what, spoil := range map[string]func(steps []step){
		"a wrong number":                        func(s []step) { s[1].Arrived = 3 },
		"a request that passes":                 func(s []step) { s[1].Answer = granted(2, 8) },
		"a token twice":                         func(s []step) { s[5].Granted[0].Token = 7 },
		"a token of the manager inside a grant": func(s []step) { s[2].Granted[0].Token = 8 },
		"a request that waits for none":         func(s []step) { s[5].Granted = nil },
		"a request that goes on to wait inside a grant that was released": func(s []step) { s[4].Failed = nil },
		"a wrong error of a request that waited":                          func(s []step) { s[4].Failed[0].Err = treelock.ErrLost },
		"a wrong refusal":                                                 func(s []step) { s[6].Err = treelock.ErrNotHeld },
		"a grant that ends too early":                                     func(s []step) { s[4].Ended = []uint64{4, 1} },
		"a grant that never ends":                                         func(s []step) { s[5].Ended = []uint64{3} },
		"a request after the drain":                                       func(s []step) { s[8].Answer = granted(5, 9) },
		"a wrong count of live requests":                                  func(s []step) { s[3].Live = 3 },
		"a wrong count of waiting requests":                               func(s []step) { s[3].Waiting = 1 },
		"a drain that is never done":                                      func(s []step) { s[9].Drained = false },
		"a drain that is done too early":                                  func(s []step) { s[7].Drained = true },
	} {
		steps := history()
		spoil(steps)
		err := replay(steps)
		if err == nil {
			t.Errorf("%s is not found", what)
		} else if !strings.Contains(err.Error(), "\n\tacquire write \"a\": done, is #1, grants #1 (token 7); 1 live, 0 waiting\n") {
			t.Errorf("%s: the error does not show the steps:\n%v", what, err)
		}
	}
}

// A circle may go through a Suspend: the caller of the Suspend holds #1 and waits for #2, and the
// caller of the request that is refused holds #2.
func TestReplayKnowsTheCirclesOfASuspend(t *testing.T) {
	under := []trace.Suspend{{Under: []uint64{1}, Live: []uint64{2}}}
	steps := []step{
		{Kind: trace.Acquire, Claims: writes("a"), Answer: granted(1, 7), Live: 1},
		{Kind: trace.Acquire, Claims: writes("b"), Answer: granted(2, 8), Live: 2},
		{
			Kind: trace.Acquire, Claims: writes("a"), MayWait: true, Under: []uint64{2},
			Answer: trace.Answer{Err: treelock.ErrDeadlock}, Live: 2, Suspends: under,
		},
	}
	if err := replay(steps); err != nil {
		t.Error(err)
	}
	steps[2].Suspends = nil
	if err := replay(steps); err == nil {
		t.Error("a refusal without a circle is not found")
	}
}

// A replay that cannot follow goes on once nothing is live, from what the manager does then.
func TestReplayGoesOnAfterItWasBlind(t *testing.T) {
	moved := []trace.Claim[string]{{Lineage: []string{"a", "another root"}}}
	r := trace.New[string](trace.Options{MaxWaiting: -1})
	steps := []step{
		{Kind: trace.Acquire, Claims: writes("a"), Answer: granted(1, 0), Live: 1},
		{Kind: trace.Acquire, Claims: moved, Answer: granted(2, 1), Live: 2},
		{Kind: trace.Release, Number: 1, Live: 1},
		{Kind: trace.Release, Number: 2},
		{Kind: trace.Acquire, Claims: moved, Answer: granted(3, 2), Live: 1},
		{Kind: trace.Acquire, Number: 2, Claims: moved, Answer: trace.Answer{Err: treelock.ErrLost}, Live: 1},
	}
	for i, s := range steps {
		if err := r.Do(s); err != nil {
			t.Fatal(err)
		}
		if want := i == 1 || i == 2; r.Blind() != want {
			t.Errorf("after step %d Blind() = %t, want %t", i, r.Blind(), want)
		}
	}
	err := r.Do(step{Kind: trace.Release, Number: 3, Answer: trace.Answer{Err: errors.New("no")}})
	if err == nil {
		t.Error("a wrong answer after the replay was blind is not found")
	}
}
