//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The tests start themselves as programs that beat.
func init() {
	if filepath.Base(os.Args[0]) == "beat" {
		beat(os.Args[1])
	}
}

// beat writes a line with its number to a file, and then the time of day every millisecond, until
// it is killed, or a test that fails has been over for long. It ignores all signals that it can.
func beat(name string) {
	ignoreSignals()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(f, os.Getpid())
	for end := time.Now().Add(2 * deadline); time.Now().Before(end); {
		fmt.Fprintln(f, time.Now().UnixNano())
		time.Sleep(time.Millisecond)
	}
	os.Exit(0)
}

// A pulse is what a beat has written.
type pulse struct {
	pid         int
	first, last time.Time
}

// pulse waits until a beat has begun, and returns what it has written so far.
func (r rig) pulse(name string) (p pulse) {
	r.Helper()
	r.until(name+" beats", func() bool {
		text, _ := os.ReadFile(r.path(name))
		lines := strings.Split(string(text), "\n")
		lines = lines[:len(lines)-1] // a killed process may have written a part
		if len(lines) < 2 {
			return false
		}
		var numbers []int
		for _, line := range []string{lines[0], lines[1], lines[len(lines)-1]} {
			number, err := strconv.Atoi(line)
			if err != nil {
				r.Fatalf("%s has the line %q", name, line)
			}
			numbers = append(numbers, number)
		}
		p = pulse{numbers[0], time.Unix(0, int64(numbers[1])), time.Unix(0, int64(numbers[2]))}
		return true
	})
	return p
}

// mostStall is how long the machine may stand still for what these tests say of times. Between the
// deadline and the end of a lease is a tenth of the time to live.
const mostStall = 300 * time.Millisecond

// watchStalls sends how long the machine has stood still until now, each time it was longer.
func watchStalls(t *testing.T) <-chan time.Duration {
	stalls, over := make(chan time.Duration, 1000), make(chan struct{})
	t.Cleanup(func() { close(over) })
	go func() {
		const pause = 5 * time.Millisecond
		longest := time.Duration(0)
		for last := time.Now().Round(0); ; { // the time of day, which goes on in a suspension
			select {
			case <-time.After(pause):
			case <-over:
				return
			}
			now := time.Now().Round(0)
			if gap := now.Sub(last) - pause; gap > longest && len(stalls) < cap(stalls) {
				longest = gap
				stalls <- gap
			}
			last = now
		}
	}()
	return stalls
}

// longest returns the longest of what was sent.
func longest(stalls <-chan time.Duration) (most time.Duration) {
	for {
		select {
		case s := <-stalls:
			most = max(most, s)
		default:
			return most
		}
	}
}

// wantDeadBefore fails unless processes that have beaten were dead before another one has begun. It
// skips the test if the machine stood still meanwhile.
func (r rig) wantDeadBefore(next string, names ...string) {
	r.Helper()
	begun := r.pulse(next).first
	if s := longest(r.stalls); s > mostStall {
		r.Skipf("the machine stood still for %v", s)
	}
	for _, name := range names {
		p := r.pulse(name)
		if lives(p.pid) {
			r.Errorf("%s lives when %s has begun", name, next)
		}
		if !p.last.Before(begun) {
			r.Errorf("%s has beaten %v after %s had begun", name, p.last.Sub(begun), next)
		}
		r.Logf("%s was dead %v before %s had begun", name, begun.Sub(p.last), next)
	}
}
