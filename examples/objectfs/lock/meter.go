package lock

import (
	"context"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/treelock/treelock"
)

// longestRecorded is the longest wait that the histogram tells from longer ones.
const longestRecorded = time.Hour

// A Meter is a [Locker] that measures how long requests wait for another one, and how many wait at the
// same time.
type Meter struct {
	locks Locker

	mu      sync.Mutex
	waits   *hdrhistogram.Histogram // of the granted requests, in microseconds
	longest time.Duration           // the histogram rounds
	waiting int
	queue   int // the most that ever waited at once
}

// NewMeter returns a meter of what is waited for locks.
func NewMeter(locks Locker) *Meter {
	return &Meter{
		locks: locks,
		waits: hdrhistogram.New(1, longestRecorded.Microseconds(), 3),
	}
}

// Lock is the Lock of the measured Locker. A request counts as waiting from its call to its return.
func (m *Meter) Lock(ctx context.Context, req treelock.Request[treelock.Path]) (unlock func(), err error) {
	m.mu.Lock()
	m.waiting++
	m.queue = max(m.queue, m.waiting)
	m.mu.Unlock()

	start := time.Now()
	unlock, err = m.locks.Lock(ctx, req)
	wait := time.Since(start)

	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting--
	if err != nil {
		return nil, err
	}
	m.longest = max(m.longest, wait)
	// It cannot fail: the value is inside the range.
	_ = m.waits.RecordValue(min(wait, longestRecorded).Microseconds())
	return unlock, nil
}

// Waits sums up what a [Meter] has measured.
type Waits struct {
	Requests int           // how many were granted
	Median   time.Duration // of the waits of those
	P99      time.Duration // their 99th percentile
	Longest  time.Duration
	Queue    int // the most requests that waited at the same time
}

// Waits returns what was measured so far.
func (m *Meter) Waits() Waits {
	m.mu.Lock()
	defer m.mu.Unlock()
	quantile := func(q float64) time.Duration {
		// The histogram rounds up, within a thousandth.
		return min(time.Duration(m.waits.ValueAtQuantile(q))*time.Microsecond, m.longest)
	}
	return Waits{
		Requests: int(m.waits.TotalCount()),
		Median:   quantile(50),
		P99:      quantile(99),
		Longest:  m.longest,
		Queue:    m.queue,
	}
}
