package manager

import (
	"runtime"
	"runtime/metrics"
	"time"
)

// A yielder decides whether the manager goroutine lets other goroutines run before it looks into
// its inbox again.
//
// While few goroutines are runnable, yielding pays. Clients that have just got their replies send
// their next messages meanwhile. So the manager goroutine finds a batch, and neither side is parked
// and woken for each message. But runtime.Gosched puts a goroutine behind all runnable ones. Beside
// goroutines that compute without end, each of these first uses up its time slice of 10 ms. A
// parked goroutine instead runs as soon as a message wakes it.
//
// So yields are timed: each of the first ones, and every eighth once these were fast. A slow yield
// turns yielding off. It is turned on again when no goroutine of the program has waited for long to
// run during a pause. (Another yield would find that out too, at the cost that is to be avoided.)
// Clients also yield while they wait for the first reply; that reply says whether it pays
// (call.yieldPays).
//
// A yielder is pure: its caller passes the time, the duration of the timed yields, and whether
// goroutines have waited. See BenchmarkNeighbours in manager/bench.
type yielder struct {
	off     bool    // do not yield
	fast    int     // fast yields in a row, up to trusted
	untimed int     // yields since the last timed one
	retryAt instant // when to check the latencies, while off
}

const (
	trusted    = 8                               // fast yields in a row until most are untimed
	timedYield = 8                               // then every eighth is timed
	slowYield  = instant(500 * time.Microsecond) // from here on a yield is slow; most take 1 µs
	perMessage = instant(2 * time.Microsecond)   // allowed more for each message: many clients ran
	yieldPause = instant(500 * time.Millisecond) // the pause after a slow yield
)

// A yieldStep is what to do before the manager goroutine looks into its inbox.
type yieldStep uint8

const (
	doNotYield yieldStep = iota
	doYield
	doTimedYield     // then call recordYield
	doCheckLatencies // then call recordLatencies
)

// next returns what to do. now need not be exact.
func (y *yielder) next(now instant) yieldStep {
	switch {
	case y.off && now < y.retryAt:
		return doNotYield
	case y.off:
		return doCheckLatencies
	case y.fast < trusted:
		return doTimedYield
	}
	if y.untimed++; y.untimed < timedYield {
		return doYield
	}
	y.untimed = 0
	return doTimedYield
}

// recordYield takes the duration of a timed yield that ended now, and how many messages came
// meanwhile.
func (y *yielder) recordYield(d, now instant, came int) {
	if d < slowYield+instant(came)*perMessage {
		y.fast = min(y.fast+1, trusted)
		return
	}
	*y = yielder{off: true, retryAt: now + yieldPause}
}

// recordLatencies takes whether goroutines have waited for long to run since the last check.
func (y *yielder) recordLatencies(waited bool, now instant) {
	*y = yielder{off: waited, retryAt: now + yieldPause}
}

// pays reports whether clients should yield as well.
func (y *yielder) pays() bool { return y.fast == trusted }

// yieldTimed takes one of the steps that few batches begin with. On the manager goroutine.
func (l *loop[N]) yieldTimed(step yieldStep) {
	switch step {
	case doTimedYield:
		l.readClock()
		before := l.now
		runtime.Gosched()
		l.readClock()
		if l.yielder.recordYield(l.now-before, l.now, len(l.m.inbox)); l.yielder.off {
			l.latencies.sawLongWait() // from now on
		}
	case doCheckLatencies:
		l.readClock()
		l.yielder.recordLatencies(l.latencies.sawLongWait(), l.now)
	}
}

// latencies tells whether goroutines have waited for long to run.
type latencies struct {
	sample [1]metrics.Sample
	slow   uint64 // long waits at the last check
}

const (
	latencyMetric = "/sched/latencies:seconds"
	longLatency   = 0.002 // seconds; a computing goroutine delays the next by 10 ms
)

// sawLongWait reports whether a goroutine has waited for long since the last call. The runtime
// samples the waits. The call takes some microseconds.
func (l *latencies) sawLongWait() bool {
	l.sample[0].Name = latencyMetric
	metrics.Read(l.sample[:])
	if l.sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		return false // a runtime without the metric: then the next timed yield tells
	}
	return l.hasNewLong(l.sample[0].Value.Float64Histogram())
}

// hasNewLong reports whether h, which counts all waits, has more long ones than at the last call.
func (l *latencies) hasNewLong(h *metrics.Float64Histogram) bool {
	slow := uint64(0)
	for i, count := range h.Counts {
		if h.Buckets[i] >= longLatency {
			slow += count
		}
	}
	before := l.slow
	l.slow = slow
	return slow > before
}
