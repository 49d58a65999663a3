package lock

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A Meter is a [Locker] that measures how long requests wait for another one, and how many wait at
// the same time.
type Meter struct {
	locks Locker

	mu      sync.Mutex
	waits   []time.Duration // of the granted requests
	waiting int
	queue   int // the most that ever waited at once
}

// NewMeter returns a meter of locks.
func NewMeter(locks Locker) *Meter { return &Meter{locks: locks} }

// Lock is the Lock of the measured Locker. A request counts as waiting from its call to its
// return. Requests inside what is held are not measured.
func (m *Meter) Lock(ctx context.Context, req Request) (Held, error) {
	m.mu.Lock()
	m.waiting++
	m.queue = max(m.queue, m.waiting)
	m.mu.Unlock()

	start := time.Now()
	held, err := m.locks.Lock(ctx, req)
	wait := time.Since(start)

	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting--
	if err == nil {
		m.waits = append(m.waits, wait)
	}
	return held, err
}

// Waits sums up the measurements of a [Meter]. The waits are those of granted requests.
type Waits struct {
	Median  time.Duration
	P99     time.Duration // the 99th percentile
	Longest time.Duration
	Queue   int // the most requests that waited at the same time
}

// Waits returns what was measured so far.
func (m *Meter) Waits() Waits {
	m.mu.Lock()
	defer m.mu.Unlock()
	sorted := slices.Sorted(slices.Values(m.waits))
	n := len(sorted)
	if n == 0 {
		return Waits{Queue: m.queue}
	}
	return Waits{sorted[n/2], sorted[n*99/100], sorted[n-1], m.queue}
}
