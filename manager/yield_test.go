package manager

import (
	"math"
	"runtime/metrics"
	"testing"
	"time"
)

// ms returns n milliseconds on the manager's clock.
func ms(n int) instant { return instant(time.Duration(n) * time.Millisecond) }

// fastYielder returns a yielder that has seen enough fast yields.
func fastYielder(t *testing.T) *yielder {
	var y yielder
	for i := range trusted {
		if step := y.next(0); step != doTimedYield || y.pays() {
			t.Fatalf("before fast yield %d: next() = %d, pays() = %t, want a timed yield and false", i, step, y.pays())
		}
		y.recordYield(1000, 0, 0)
	}
	if !y.pays() {
		t.Fatal("pays() = false after fast yields, want true")
	}
	return &y
}

func TestFewYieldsAreTimedOnceTheyAreFast(t *testing.T) {
	y, timed := fastYielder(t), 0
	for range 100 * timedYield {
		switch y.next(ms(1)) {
		case doTimedYield:
			timed++
			y.recordYield(slowYield-1+10*perMessage, ms(1), 10)
		case doYield:
		default:
			t.Fatal("the yielder does not yield, though yields are fast")
		}
	}
	if timed != 100 || !y.pays() {
		t.Errorf("%d of %d yields were timed, pays() = %t, want 100 and true", timed, 100*timedYield, y.pays())
	}
}

func TestOneSlowYieldEndsYielding(t *testing.T) {
	for name, y := range map[string]*yielder{"at the start": {}, "after fast ones": fastYielder(t)} {
		for y.next(0) != doTimedYield {
		}
		y.recordYield(slowYield, ms(20), 0)
		if y.pays() || y.next(ms(20)) != doNotYield || y.next(ms(20)+yieldPause-1) != doNotYield {
			t.Errorf("%s: after a slow yield it goes on to yield", name)
		}
	}
}

func TestYieldingBeginsAgainOnlyWhereNothingWaits(t *testing.T) {
	y := fastYielder(t)
	y.recordYield(ms(20), ms(20), 32)
	now := ms(20)
	for range 10 {
		now += yieldPause
		if step := y.next(now); step != doCheckLatencies {
			t.Fatalf("next() = %d after the pause, want a look", step)
		}
		y.recordLatencies(true, now)
		if step := y.next(now); step != doNotYield {
			t.Fatalf("next() = %d where goroutines wait, want no yield", step)
		}
	}
	now += yieldPause
	y.next(now)
	y.recordLatencies(false, now)
	if step := y.next(now); step != doTimedYield || y.pays() {
		t.Errorf("next() = %d, pays() = %t where nothing waits, want a timed yield, and false", step, y.pays())
	}
}

// TestManagerChecksLatenciesOnceAfterAPause has no message come between.
func TestManagerChecksLatenciesOnceAfterAPause(t *testing.T) {
	l := startLoop(t)
	l.yielder = yielder{off: true}
	l.yieldTimed(l.yielder.next(l.now))
	if step := l.yielder.next(l.now); step == doCheckLatencies {
		t.Error("the manager looks again at once")
	}
}

// TestOnlyNewLongLatenciesCount lets yielding begin again in a program that was once busy.
func TestOnlyNewLongLatenciesCount(t *testing.T) {
	var l latencies
	h := &metrics.Float64Histogram{
		Buckets: []float64{math.Inf(-1), longLatency / 2, longLatency, 1, math.Inf(1)}, Counts: make([]uint64, 4),
	}
	for i, test := range []struct {
		bucket int
		want   bool
	}{{0, false}, {1, false}, {2, true}, {1, false}, {3, true}, {0, false}} {
		h.Counts[test.bucket]++
		if got := l.hasNewLong(h); got != test.want {
			t.Errorf("step %d: hasNewLong() = %t after a latency in bucket %d, want %t", i, got, test.bucket, test.want)
		}
	}
}

// TestLatenciesAreKnownToThisRuntime checks the name of the runtime's metric.
func TestLatenciesAreKnownToThisRuntime(t *testing.T) {
	var l latencies
	l.sawLongWait()
	if len(l.sample[0].Value.Float64Histogram().Buckets) == 0 {
		t.Errorf("the runtime has no histogram %s", latencyMetric)
	}
}
