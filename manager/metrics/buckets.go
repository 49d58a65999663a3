package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/treelock/treelock/manager"
)

// buckets says which bounds of a [manager.Histogram] are exported, and in which unit. Each bound
// costs Prometheus a time series per manager and process, so only every other one is exported. The
// step from bound to bound is then a factor of four.
type buckets struct {
	first, last int     // indices of Counts. The last element of Counts has no bound
	unit        float64 // the manager's units in one exported unit
}

var (
	// seconds is for times in microseconds: 15 µs, 63 µs, and so on to 1,074 s, in 14 buckets.
	// Below 16 µs the manager's clock is not exact; above 1,074 s it counts in one bucket.
	seconds = buckets{first: 4, last: 30, unit: 1e6}

	// requests is for lengths of queues: 1, 7, 31, and so on to 524,287, in 10 buckets. The first
	// bound is 1 because most waiters are alone behind a holder.
	requests = buckets{first: 1, last: 19, unit: 1}
)

// step is the distance between the indices of two exported bounds.
const step = 2

// histogram returns the metric for h.
//
// In Prometheus a bound belongs to its bucket. The values of Counts[i] are integers below 1<<i, so
// the bound is 1<<i - 1: with 1<<i, a queue of two would be missing in the bucket "at most two".
func (b buckets) histogram(desc *prometheus.Desc, h manager.Histogram) prometheus.Metric {
	cumulative := make(map[float64]uint64, len(h.Counts)/step)
	count := uint64(0)
	for i, n := range h.Counts {
		count += n
		if b.first <= i && i <= b.last && (i-b.first)%step == 0 {
			cumulative[float64(uint64(1)<<i-1)/b.unit] = count
		}
	}
	return prometheus.MustNewConstHistogram(desc, count, float64(h.Sum)/b.unit, cumulative)
}
