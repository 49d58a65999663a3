package child

import (
	"encoding/json"
	"io"
	"time"
)

// A message tells the guardian how things are. They are lines of JSON.
type message struct {
	Group int           `json:"group"`
	Until time.Time     `json:"until"`   // the deadline, as a time of day
	Left  time.Duration `json:"left_ns"` // until the deadline, by the monotonic clock of run
}

// newMessage returns a message that is sent at a time. A time in JSON is a time of day alone.
func newMessage(group int, deadline, now time.Time) message {
	return message{Group: group, Until: deadline, Left: deadline.Sub(now)}
}

// A watch decides when the guardian kills the group. It has no clock of its own.
type watch struct {
	group int
	day   time.Time // the deadline as a time of day
	mono  time.Time // the deadline by the monotonic clock
}

// heard takes a message that has arrived at a time.
func (w *watch) heard(m message, now time.Time) {
	*w = watch{m.Group, m.Until.Round(0), now.Add(m.Left)}
}

// left returns how long the group may live without news; 0 or less if it must be killed.
func (w *watch) left(now time.Time) time.Duration {
	return min(w.mono.Sub(now), w.day.Sub(now.Round(0)))
}

// look is how often the guardian looks at the time of day, which may jump when the machine was
// suspended.
const look = 250 * time.Millisecond

// lastLook is how long the guardian waits for a message that has arrived but was not read yet, when
// it was itself stopped beyond a deadline. It is small against the time from the deadline to the
// end of the lease, which is 200 ms or more.
const lastLook = 20 * time.Millisecond

// guard reads messages, and calls kill when they end or the deadline passes. Before the first
// message there is no group, and nothing to kill; it calls watches after it.
func guard(messages io.Reader, watches func(), kill func(group int)) {
	inbox, over := make(chan message), make(chan struct{})
	defer close(over)
	go func() {
		defer close(inbox)
		for in := json.NewDecoder(messages); ; {
			var m message
			if in.Decode(&m) != nil {
				return
			}
			select {
			case inbox <- m:
			case <-over:
				return
			}
		}
	}()
	m, ok := <-inbox
	if !ok {
		return
	}
	watches()
	var w watch
	for late := false; ok; {
		if m.Group != 0 {
			w.heard(m, time.Now())
		}
		left := w.left(time.Now())
		if left <= 0 && late {
			break
		}
		late = left <= 0
		m = message{}
		select {
		case m, ok = <-inbox:
			late = false // another one may be behind it
		case <-time.After(max(min(left, look), lastLook)):
		}
	}
	kill(w.group)
}
