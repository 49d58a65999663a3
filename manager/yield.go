package manager

import (
	"runtime"
	"runtime/metrics"
	"time"
)

// A yielder says whether it pays to let other goroutines run before the manager looks into its inbox
// again.
//
// In a calm program it does: clients that have just got their answers send their next messages
// meanwhile, so the manager finds a batch of them, and neither side is parked and woken for each. But
// runtime.Gosched puts a goroutine behind all that can run. Beside goroutines that compute without
// end each of these first uses up its time slice of 10 ms. A goroutine that is parked instead runs as
// soon as a message wakes it.
//
// So yields are timed: each of the first ones, and every eighth once these were fast. A slow one ends
// yielding. It begins again when, during a pause, no goroutine of the program has waited for long to
// be run: to find that out by another yield would cost what is to be avoided. Clients, which yield
// too while they wait for the first answer, learn it from that answer (call.yields).
//
// It is pure: it is told the time, how long the yields took that it wants to know of, and whether
// goroutines have waited. See BenchmarkNeighbours.
type yielder struct {
	off     bool    // do not yield
	fast    int     // fast yields in a row, until it is trusted
	untimed int     // yields since the last one that was timed
	retryAt instant // when to look whether to begin again
}

const (
	trusted    = 8                               // so many fast yields in a row are trusted
	timedYield = 8                               // and then every eighth is timed
	slowYield  = instant(500 * time.Microsecond) // a slow yield takes that long; most take a microsecond
	perMessage = instant(2 * time.Microsecond)   // and that for each message that came meanwhile: many clients ran
	yieldPause = instant(500 * time.Millisecond) // the pause after a slow one
)

// A yieldStep is what to do before the manager looks into its inbox.
type yieldStep uint8

const (
	doNotYield yieldStep = iota
	doYield
	doTimedYield     // and call took
	doCheckLatencies // call look
)

// next says what to do. now need not be exact.
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

// took takes in how long a yield took that was timed, and ended now, and how many messages came.
func (y *yielder) recordYield(d, now instant, came int) {
	if d < slowYield+instant(came)*perMessage {
		y.fast = min(y.fast+1, trusted)
		return
	}
	*y = yielder{off: true, retryAt: now + yieldPause}
}

// look takes in whether goroutines have waited for long to be run, since the last look.
func (y *yielder) recordLatencies(waited bool, now instant) {
	*y = yielder{off: waited, retryAt: now + yieldPause}
}

// pays reports whether others should yield as well.
func (y *yielder) pays() bool { return y.fast == trusted }

// yield lets other goroutines run, if that pays.
func (l *loop[N]) yield() {
	switch l.yielder.next(l.now) {
	case doYield:
		runtime.Gosched()
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

// latencies tell how long goroutines waited to be run.
type latencies struct {
	sample [1]metrics.Sample
	slow   uint64 // how many had waited for long at the last look
}

const (
	latencyMetric = "/sched/latencies:seconds"
	longLatency   = 0.002 // seconds; a goroutine that computes without end keeps others waiting for 10 ms
)

// waited reports whether a goroutine has waited for long since the last call. The runtime takes a
// sample of them. It takes some microseconds.
func (l *latencies) sawLongWait() bool {
	l.sample[0].Name = latencyMetric
	metrics.Read(l.sample[:])
	if l.sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		return false // a runtime without it: then the next yield tells
	}
	return l.hasNewLong(l.sample[0].Value.Float64Histogram())
}

// grown reports whether h, which counts all waits, has more long ones than at the last call.
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
