package metrics_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/treelock/treelock/manager"
)

func TestBucketHasTheValuesUpToItsBound(t *testing.T) {
	values := sampleValues(rand.New(rand.NewPCG(1, 2)))
	h := histogram(values...)
	for metric, unit := range map[string]float64{
		"treelock_wait_seconds": 1e6, "treelock_hold_seconds": 1e6, "treelock_queue_length": 1,
	} {
		got := families(t, fixed{WaitTime: h, HoldTime: h, Queue: h})[metric].GetMetric()[0].GetHistogram()
		if got.GetSampleCount() != uint64(len(values)) {
			t.Errorf("%s: count = %d, want %d", metric, got.GetSampleCount(), len(values))
		}
		if got.GetSampleSum() != float64(h.Sum)/unit {
			t.Errorf("%s: sum = %v, want %v", metric, got.GetSampleSum(), float64(h.Sum)/unit)
		}
		for _, bucket := range got.GetBucket() {
			want := uint64(0)
			for _, value := range values {
				if float64(value)/unit <= bucket.GetUpperBound() {
					want++
				}
			}
			if bucket.GetCumulativeCount() != want {
				t.Errorf("%s: le=%v: %d values, want %d",
					metric, bucket.GetUpperBound(), bucket.GetCumulativeCount(), want)
			}
		}
	}
}

// sampleValues returns values of all sizes: powers of two, their neighbors, and values in between.
func sampleValues(random *rand.Rand) (values []uint64) {
	for bit := range 45 {
		power := uint64(1) << bit
		values = append(values, power-1, power, power+1)
		for range 5 {
			values = append(values, power+random.Uint64N(power))
		}
	}
	return values
}

// histogram counts values as documented for manager.Histogram.
func histogram(values ...uint64) (h manager.Histogram) {
	for _, value := range values {
		i := 0
		for i < len(h.Counts)-1 && value >= 1<<i {
			i++
		}
		h.Counts[i]++
		h.Sum += value
	}
	return h
}

// A rule that names a changed bound would match nothing, without an error.
func TestBoundsAreStable(t *testing.T) {
	times := []string{
		"1.5e-05", "6.3e-05", "0.000255", "0.001023", "0.004095", "0.016383", "0.065535", "0.262143",
		"1.048575", "4.194303", "16.777215", "67.108863", "268.435455", "1073.741823",
	}
	all := families(t, fixed{})
	for name, want := range map[string][]string{
		"treelock_wait_seconds": times, "treelock_hold_seconds": times,
		"treelock_queue_length": {"1", "7", "31", "127", "511", "2047", "8191", "32767", "131071", "524287"},
	} {
		var got []string
		for _, bucket := range all[name].GetMetric()[0].GetHistogram().GetBucket() {
			got = append(got, fmt.Sprint(bucket.GetUpperBound()))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("bounds of %s (-want +got):\n%s", name, diff)
		}
	}
}
