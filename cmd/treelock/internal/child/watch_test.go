package child

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

func TestWatchCountsByBothClocks(t *testing.T) {
	var w watch
	m := newMessage(7, start.Add(9*time.Second), start)
	if m.Left != 9*time.Second || m.Group != 7 {
		t.Fatalf("newMessage = %+v", m)
	}
	// The message was under way for two seconds: the time of day says less.
	w.heard(m, start.Add(2*time.Second))
	if got := w.left(start.Add(2 * time.Second)); got != 7*time.Second {
		t.Errorf("left = %v after a late message, want 7s", got)
	}
	// The time of day was set back by an hour when the message was written: the monotonic clock
	// says less.
	m.Until = m.Until.Add(time.Hour)
	w.heard(m, start)
	if got := w.left(start.Add(10 * time.Second)); got != -time.Second {
		t.Errorf("left = %v, want -1s", got)
	}
}

// guarded runs a guardian in a synctest bubble. It returns the pipe to it, and a channel that
// brings the group that it has killed, and 0 if it has ended without that.
func guarded() (in *io.PipeWriter, killed <-chan int) {
	out, in := io.Pipe()
	result := make(chan int, 1)
	go func() {
		group := 0
		guard(out, func() {}, func(g int) { group = g })
		out.Close()
		result <- group
	}()
	return in, result
}

func send(t *testing.T, in io.Writer, m message) {
	t.Helper()
	if err := json.NewEncoder(in).Encode(m); err != nil {
		t.Fatal(err)
	}
}

func TestGuardianKillsAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, killed := guarded()
		begin := time.Now()
		send(t, in, newMessage(7, begin.Add(3*time.Second), begin))
		time.Sleep(2 * time.Second)
		send(t, in, newMessage(7, begin.Add(5*time.Second), time.Now()))
		if group := <-killed; group != 7 || time.Since(begin) < 5*time.Second || time.Since(begin) > 5*time.Second+2*lastLook {
			t.Errorf("it kills the group %d after %v, want 7 after 5s", group, time.Since(begin))
		}
	})
}

// TestGuardianReadsAllBeforeItKills has a guardian that was stopped while it was told deadlines.
func TestGuardianReadsAllBeforeItKills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told bytes.Buffer
		begin := time.Now()
		for _, left := range []time.Duration{-3 * time.Second, -2 * time.Second, -time.Second, 5 * time.Second} {
			send(t, &told, newMessage(7, begin.Add(left), begin))
		}
		out, in := io.Pipe()
		defer in.Close()
		killed := make(chan int, 1)
		guard(io.MultiReader(&told, out), func() {}, func(g int) { killed <- g; out.Close() })
		if group := <-killed; group != 7 || time.Since(begin) < 5*time.Second {
			t.Errorf("it kills the group %d after %v, want 7 after 5s", group, time.Since(begin))
		}
	})
}

func TestGuardianKillsWhenThePipeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, killed := guarded()
		begin := time.Now()
		send(t, in, newMessage(7, begin.Add(3*time.Second), begin))
		in.Close()
		if group := <-killed; group != 7 || time.Since(begin) != 0 {
			t.Errorf("it kills the group %d after %v, want 7 at once", group, time.Since(begin))
		}
	})
}

func TestGuardianWithoutAGroupKillsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, killed := guarded()
		in.Close()
		if group := <-killed; group != 0 {
			t.Errorf("it kills the group %d", group)
		}
	})
}
