package metrics_test

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"

	"github.com/treelock/treelock/manager"
	"github.com/treelock/treelock/manager/metrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A fixed is a source that always returns the same statistics.
type fixed manager.Stats

func (f fixed) Stats() manager.Stats { return manager.Stats(f) }

// families returns the metrics for source, by name.
func families(t *testing.T, source metrics.Source) map[string]*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(metrics.New(source))
	all, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	byName := make(map[string]*dto.MetricFamily)
	for _, family := range all {
		byName[family.GetName()] = family
	}
	return byName
}

func TestEachFieldOfTheStatisticsHasItsMetric(t *testing.T) {
	source := fixed{
		Granted: 2, Waited: 3, Withdrawn: 5, Released: 7, Conflicts: 11, Busy: 13, Draining: 17,
		Widened: 47, Suspended: 53, Deadlocks: 59,
		Live: 42, Waiting: 19, Nodes: 29, Inbox: 31,
		WaitTime: histogram(37), HoldTime: histogram(41, 41), Queue: histogram(43, 43, 43),
	}
	want := map[string]float64{
		"treelock_granted_total":                  2,
		"treelock_waited_total":                   3,
		"treelock_withdrawn_total":                5,
		"treelock_released_total":                 7,
		"treelock_refused_total reason=conflict":  11,
		"treelock_refused_total reason=busy":      13,
		"treelock_refused_total reason=draining":  17,
		"treelock_refused_total reason=suspended": 53,
		"treelock_refused_total reason=deadlock":  59,
		"treelock_widened_total":                  47,
		"treelock_live_requests state=holding":    23,
		"treelock_live_requests state=waiting":    19,
		"treelock_nodes":                          29,
		"treelock_inbox_messages":                 31,
		"treelock_wait_seconds":                   37e-6,
		"treelock_hold_seconds":                   82e-6,
		"treelock_queue_length":                   129,
	}
	got, series := map[string]float64{}, 0
	for name, family := range families(t, source) {
		for _, metric := range family.GetMetric() {
			key := name
			for _, label := range metric.GetLabel() {
				key += " " + label.GetName() + "=" + label.GetValue()
			}
			series++
			got[key] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
			if h := metric.GetHistogram(); h != nil {
				got[key] = h.GetSampleSum()
				series += len(h.GetBucket()) + 2 // +Inf, sum and count, of which one is counted above
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if series != 61 {
		t.Errorf("%d series, want 61, as documented", series)
	}
}

func TestNamesFollowTheConventions(t *testing.T) {
	problems, err := testutil.CollectAndLint(metrics.New(fixed{}, metrics.WithName("folders")))
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
}

func TestDocumentationNamesAllMetricsAndNoOthers(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	all := families(t, fixed{})
	names, named := sampleNames(all), map[string]bool{}
	for _, name := range regexp.MustCompile(`treelock_[a-z_]+`).FindAllString(string(text), -1) {
		if names[name] == "" && all[name] == nil {
			t.Errorf("doc.go names %s, which does not exist", name)
		}
		named[name] = true
	}
	for name := range all {
		if !named[name] {
			t.Errorf("doc.go does not name %s", name)
		}
	}
}

// A countingSource counts its calls. A second call in a scrape would be of another instant.
type countingSource struct{ calls int }

func (c *countingSource) Stats() manager.Stats {
	c.calls++
	return manager.Stats{}
}

func TestScrapeAsksTheManagerOnce(t *testing.T) {
	source := new(countingSource)
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(metrics.New(source))
	for scrape := range 3 {
		if source.calls != scrape {
			t.Errorf("%d calls after %d scrapes", source.calls, scrape)
		}
		if _, err := registry.Gather(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNamesTellManagersApart(t *testing.T) {
	named := func(names ...string) (opts []metrics.Option) {
		for _, name := range names {
			opts = append(opts, metrics.WithName(name))
		}
		return opts
	}
	for _, tc := range []struct {
		name          string
		first, second []metrics.Option
		refused       bool
		already       bool // because an equal collector is registered
	}{
		{name: "two names", first: named("a"), second: named("b")},
		{name: "one name", first: named("a"), second: named("a"), refused: true, already: true},
		{name: "no names", refused: true, already: true},
		{name: "an empty name", second: named(""), refused: true, already: true},
		{name: "a name and none", first: named("a"), refused: true},
		{name: "the last name counts", first: named("a"), second: named("a", "b")},
		{name: "the last, empty name counts", second: named("a", ""), refused: true, already: true},
		{name: "not UTF-8", first: named("a"), second: named("\xff"), refused: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			registry := prometheus.NewPedanticRegistry()
			registry.MustRegister(metrics.New(fixed{}, tc.first...))
			err := registry.Register(metrics.New(fixed{}, tc.second...))
			var already prometheus.AlreadyRegisteredError
			if (err != nil) != tc.refused || errors.As(err, &already) != tc.already {
				t.Errorf("Register = %v, want an error: %v, of an equal collector: %v", err, tc.refused, tc.already)
			}
			if _, err := registry.Gather(); err != nil {
				t.Errorf("Gather = %v", err)
			}
		})
	}
}

// The program need not keep the collector of the manager that is replaced.
func TestCollectorUnregistersOneOfTheSameName(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(metrics.New(fixed{Granted: 1}, metrics.WithName("a")), metrics.New(fixed{}, metrics.WithName("b")))
	next := metrics.New(fixed{Granted: 2}, metrics.WithName("a"))
	if !registry.Unregister(next) {
		t.Error("Unregister = false, want true")
	}
	registry.MustRegister(next)
	err := testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP treelock_granted_total Requests granted, at once or after a wait.
# TYPE treelock_granted_total counter
treelock_granted_total{manager="a"} 2
treelock_granted_total{manager="b"} 0
`), "treelock_granted_total")
	if err != nil {
		t.Error(err)
	}
}

func TestNewPanicsOnNil(t *testing.T) {
	for want, call := range map[string]func(){
		"treelock: the source of a metrics.Collector is nil":    func() { metrics.New(nil) },
		"treelock: option 2 of 2 of a metrics.Collector is nil": func() { metrics.New(fixed{}, metrics.WithName("a"), nil) },
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("New panics with %v, want %q", got, want)
				}
			}()
			call()
		}()
	}
}
