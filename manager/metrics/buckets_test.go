package metrics_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/treelock/treelock/manager"
	"github.com/treelock/treelock/manager/metrics"
)

// A fixed source has always the same statistics.
type fixed manager.Stats

func (f fixed) Stats() manager.Stats { return manager.Stats(f) }

// TestABucketHasExactlyTheValuesUpToItsBound compares each bucket with a count of the values themselves.
func TestABucketHasExactlyTheValuesUpToItsBound(t *testing.T) {
	for _, tc := range []struct {
		metric string
		unit   float64
		stats  func(manager.Histogram) manager.Stats
	}{
		{"treelock_wait_seconds", 1e6, func(h manager.Histogram) manager.Stats { return manager.Stats{WaitTime: h} }},
		{"treelock_hold_seconds", 1e6, func(h manager.Histogram) manager.Stats { return manager.Stats{HoldTime: h} }},
		{"treelock_queue_length", 1, func(h manager.Histogram) manager.Stats { return manager.Stats{Queue: h} }},
	} {
		t.Run(tc.metric, func(t *testing.T) {
			values := sampleValues(rand.New(rand.NewPCG(1, 2)))
			got := family(t, fixed(tc.stats(histogram(values))), tc.metric).GetMetric()[0].GetHistogram()

			if got.GetSampleCount() != uint64(len(values)) {
				t.Errorf("count = %d, want %d", got.GetSampleCount(), len(values))
			}
			sum := uint64(0)
			for _, value := range values {
				sum += value
			}
			if got.GetSampleSum() != float64(sum)/tc.unit {
				t.Errorf("sum = %v, want %v", got.GetSampleSum(), float64(sum)/tc.unit)
			}
			for _, bucket := range got.GetBucket() {
				want := uint64(0)
				for _, value := range values {
					if float64(value)/tc.unit <= bucket.GetUpperBound() {
						want++
					}
				}
				if bucket.GetCumulativeCount() != want {
					t.Errorf("le=%v: %d values, want %d", bucket.GetUpperBound(), bucket.GetCumulativeCount(), want)
				}
			}
		})
	}
}

// sampleValues returns values of all sizes: each power of two, what is next to it, and others.
func sampleValues(random *rand.Rand) []uint64 {
	var values []uint64
	for bit := range 45 {
		power := uint64(1) << bit
		values = append(values, power-1, power, power+1)
		for range 5 {
			values = append(values, power+random.Uint64N(power))
		}
	}
	return values
}

// histogram counts values as the doc of manager.Histogram says.
func histogram(values []uint64) (h manager.Histogram) {
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

// TestBoundsAreThoseOfTheDocumentation also keeps them from being changed by accident: who has a rule about a bound would see it
// match nothing, in silence.
func TestBoundsAreThoseOfTheDocumentation(t *testing.T) {
	times := []string{
		"1.5e-05", "6.3e-05", "0.000255", "0.001023", "0.004095", "0.016383", "0.065535", "0.262143",
		"1.048575", "4.194303", "16.777215", "67.108863", "268.435455", "1073.741823",
	}
	for name, want := range map[string][]string{
		"treelock_wait_seconds": times,
		"treelock_hold_seconds": times,
		"treelock_queue_length": {"1", "7", "31", "127", "511", "2047", "8191", "32767", "131071", "524287"},
	} {
		var got []string
		for _, bucket := range family(t, fixed{}, name).GetMetric()[0].GetHistogram().GetBucket() {
			if math.IsInf(bucket.GetUpperBound(), 1) {
				t.Errorf("%s: +Inf is a bucket of ours: Prometheus adds it", name)
			}
			got = append(got, fmt.Sprint(bucket.GetUpperBound()))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("bounds of %s (-want +got):\n%s", name, diff)
		}
	}
}

// family returns the metric of that name which a collector for source shows.
func family(t *testing.T, source metrics.Source, name string) *dto.MetricFamily {
	t.Helper()
	for _, family := range gather(t, source) {
		if family.GetName() == name {
			return family
		}
	}
	t.Fatalf("there is no metric %s", name)
	return nil
}

// gather returns all that a collector for source shows.
func gather(t *testing.T, source metrics.Source, opts ...metrics.Option) []*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(metrics.New(source, opts...)); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}
