package child

import (
	"testing"
	"time"
)

// start is a moment with both clocks.
var start = time.Now()

// dayJumps returns a time whose time of day differs from what its monotonic clock says, as after a
// suspension of the machine.
func dayJumps(t time.Time, by time.Duration) time.Time {
	// A deadline that lies earlier by the time of day is the same as a clock that has jumped.
	return t.Round(0).Add(-by)
}

func TestLeftIsThatOfTheClockThatSaysLess(t *testing.T) {
	deadline := start.Add(3 * time.Second)
	for _, test := range []struct {
		deadline, now time.Time
		want          time.Duration
	}{
		{deadline, start, 3 * time.Second},
		{deadline, start.Add(4 * time.Second), -time.Second},
		{dayJumps(deadline, 5*time.Second), start, -2 * time.Second},
	} {
		if got := Left(test.deadline, test.now); got != test.want {
			t.Errorf("Left(%v, %v) = %v, want %v", test.deadline, test.now, got, test.want)
		}
	}
}

func TestEnding(t *testing.T) {
	// at is a question after a time, and the answer.
	type at struct {
		after    time.Duration
		deadline time.Duration // since the start
		lost     bool
		due      Due
		again    time.Duration
	}
	const s = time.Second
	for name, steps := range map[string][]at{
		"a lease that is renewed": {
			{0, 9 * s, false, Nothing, 7 * s}, {6 * s, 12 * s, false, Nothing, 4 * s}, {9 * s, 15 * s, false, Nothing, 4 * s},
		},
		"a lease that ends": {
			{0, 9 * s, false, Nothing, 7 * s}, {7 * s, 9 * s, false, Nothing, 0}, {7*s + 1, 9 * s, false, Terminate, 2*s - 1},
			{8 * s, 9 * s, false, Nothing, s}, {9 * s, 9 * s, true, Kill, killAgain}, {10 * s, 9 * s, true, Kill, killAgain},
		},
		"a renewal that comes too late": {
			{8 * s, 9 * s, false, Terminate, s}, {9*s - 1, 20 * s, false, Nothing, 1}, {9 * s, 20 * s, false, Kill, killAgain},
		},
		"a revocation": {
			{3 * s, 9 * s, true, Terminate, 2 * s}, {4 * s, 9 * s, true, Nothing, s}, {5 * s, 9 * s, true, Kill, killAgain},
		},
		"a revocation shortly before the deadline": {
			{8 * s, 9 * s, true, Terminate, s}, {9 * s, 9 * s, true, Kill, killAgain},
		},
		"a process that was stopped beyond the deadline": {
			{0, 9 * s, false, Nothing, 7 * s}, {60 * s, 9 * s, true, Kill, killAgain},
		},
		"the same, before it knows that the lock is lost": {
			{60 * s, 9 * s, false, Kill, killAgain},
		},
	} {
		e := Ending{Grace: 2 * s}
		for i, step := range steps {
			due, again := e.Due(start.Add(step.after), start.Add(step.deadline), step.lost)
			if due != step.due || again != step.again {
				t.Errorf("%s: answer %d is %v after %v, want %v after %v", name, i, due, again, step.due, step.again)
			}
		}
	}
}

func TestEndingThatTheCallerBegins(t *testing.T) {
	e := Ending{Grace: 2 * time.Second}
	e.Begin(start)
	if !e.Begun() {
		t.Error("it has not begun")
	}
	if due, again := e.Due(start, start.Add(time.Minute), false); due != Nothing || again != 2*time.Second {
		t.Errorf("Due = %v, %v, want nothing for the grace", due, again)
	}
	if due, _ := e.Due(start.Add(2*time.Second), start.Add(time.Minute), false); due != Kill {
		t.Errorf("Due = %v after the grace, want %v", due, Kill)
	}
}
