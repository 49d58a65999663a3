package manager

import "time"

// An instant is a time as the manager goroutine knows it: the time since the manager started.
type instant time.Duration

func (i instant) since(earlier instant) time.Duration { return time.Duration(i - earlier) }

func (i instant) microsSince(earlier instant) uint64 { return uint64(i-earlier) / 1000 }

// time returns the time of a clock at i.
func (m *Manager[N]) time(i instant) time.Time { return m.started.Add(time.Duration(i)) }

// clockInterval is how many messages the manager goroutine handles, at most, without reading the
// clock.
const clockInterval = 64

// readClock reads the clock. It is not called for each message, as it costs a tenth of a request.
func (l *loop[N]) readClock() { l.now = instant(time.Since(l.m.started)) }
