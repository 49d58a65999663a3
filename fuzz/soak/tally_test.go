package soak_test

import (
	"sync/atomic"
	"time"
)

// What a soak counts.
const (
	numGranted = iota
	numWaited
	numCancelled
	numWithdrawn
	numBusy
	numConflict
	numDraining
	numStopped
	numNarrowed
	numNotHeld
	numHandedOn
	numLeft
	numPanicked
	numCounts
)

var countNames = [numCounts]string{
	"granted", "waited", "cancelled", "withdrawn", "busy", "conflict", "draining", "stopped", "narrowed", "not held", "handed on", "left to be withdrawn", "panicked",
}

// A tally is what one client has counted. It is the client's own: counters that all share would order their
// users, and so hide races from the race detector.
type tally struct {
	counts  [numCounts]int
	longest time.Duration // wait
	token   uint64        // the largest
}

func (t *tally) add(o tally) {
	for i, n := range o.counts {
		t.counts[i] += n
	}
	t.longest, t.token = max(t.longest, o.longest), max(t.token, o.token)
}

// A desk shows what call its owner is in, for the watchdog.
type desk struct {
	owner string
	call  atomic.Pointer[deskCall]
}

type deskCall struct {
	what  string
	since time.Time
}

func (d *desk) begin(what string) { d.call.Store(&deskCall{what, time.Now()}) }

// end returns how long the call took.
func (d *desk) end() time.Duration { return time.Since(d.call.Swap(nil).since) }
