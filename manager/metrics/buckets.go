package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/treelock/treelock/manager"
)

// buckets says which of the bounds of a [manager.Histogram] are shown, and in what unit. Not all are: each costs a series for each
// manager and process, for ever, and 96 of them would be most of what Prometheus stores for a manager. Every other one makes a factor of four from
// bound to bound, which is fine enough to see that something has become slow.
type buckets struct {
	first, last int     // of Counts. last is not its last one, which has no bound
	unit        float64 // how many of what the manager counts are one of what is shown
}

var (
	// seconds is for times, which are counted in microseconds: 15 µs, 63 µs, and so on to 1,074 s, in 14 buckets. Below 16 µs the
	// manager's clock is no better, as it may be as old as 64 messages; above there are no finer counts.
	seconds = buckets{first: 4, last: 30, unit: 1e6}

	// requests is for the lengths of queues: 1, 7, 31, and so on to 524,287, in 10 buckets. They begin at 1 since to wait behind the
	// holder alone is what happens most, and end where those who wait take 300 MB.
	requests = buckets{first: 1, last: 19, unit: 1}
)

// everyOther is the step from one bucket that is shown to the next.
const everyOther = 2

// histogram returns the metric that shows h.
//
// The bound of Counts[i] is 1<<i - 1, not 1<<i: a bound belongs to its bucket, in Prometheus, but 1<<i is counted in the next one. With 1<<i a
// queue of exactly two would be missing from what is shown as "at most two". For times it comes to the same, as what the manager counts
// is whole microseconds: 1<<i - 1 is the largest of them that is in the bucket, and the sum is one of whole microseconds too.
func (b buckets) histogram(desc *prometheus.Desc, h manager.Histogram) prometheus.Metric {
	upTo := make(map[float64]uint64, len(h.Counts)/everyOther)
	count := uint64(0)
	for i, n := range h.Counts {
		count += n
		if b.shows(i) {
			upTo[float64(uint64(1)<<i-1)/b.unit] = count
		}
	}
	return prometheus.MustNewConstHistogram(desc, count, float64(h.Sum)/b.unit, upTo)
}

// shows reports whether the bound of Counts[i] is one of ours.
func (b buckets) shows(i int) bool {
	return b.first <= i && i <= b.last && (i-b.first)%everyOther == 0
}
