package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
	"github.com/treelock/treelock/manager/metrics"
)

// # The life of a manager, seen by Prometheus
//
// The times are those of a synctest bubble, so waits and holds last for exactly what is written here. Each counter ends with a number of its
// own, so that none can be taken for another.
func TestAManagersLife(t *testing.T) { synctest.Test(t, lifeOfAManager) }

func lifeOfAManager(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	m := manager.Start(ctx, manager.WithMaxWaiting(2))
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(metrics.New(m, metrics.WithName("folders")))

	submit := func(path treelock.Path) *manager.Ticket[treelock.Path] {
		t.Helper()
		ticket, err := m.Submit(ctx, treelock.Write(path))
		if err != nil {
			t.Fatal(err)
		}
		return ticket
	}
	refused := func(times int, want error, verb func(treelock.Request[treelock.Path]) (manager.Grant[treelock.Path], error)) {
		t.Helper()
		for range times {
			if _, err := verb(treelock.Read("/docs/a")); !errors.Is(err, want) {
				t.Fatalf("err = %v, want %v", err, want)
			}
		}
	}
	acquire := func(req treelock.Request[treelock.Path]) (manager.Grant[treelock.Path], error) {
		return m.Acquire(ctx, req)
	}
	shows := func(why, want string, names ...string) {
		t.Helper()
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want), names...); err != nil {
			t.Errorf("%s: %v", why, err)
		}
	}

	// At 0 s four hold: /docs, and three below /tmp. Two wait for /docs, and so there is no room for more.
	docs := <-submit("/docs").Granted()
	for _, path := range []treelock.Path{"/tmp/a", "/tmp/b"} {
		<-submit(path).Granted()
	}
	third := <-submit("/tmp/c").Granted()
	patient, other := submit("/docs/a"), submit("/docs/b")
	refused(5, treelock.ErrConflict, m.TryAcquire)
	refused(2, treelock.ErrBusy, acquire)
	shows("two wait", `
# HELP treelock_live_requests Requests that are live, by state: holding or waiting.
# TYPE treelock_live_requests gauge
treelock_live_requests{manager="folders",state="holding"} 4
treelock_live_requests{manager="folders",state="waiting"} 2
# HELP treelock_nodes Nodes that are known, idle ones included.
# TYPE treelock_nodes gauge
treelock_nodes{manager="folders"} 8
`, "treelock_live_requests", "treelock_nodes")

	// At 1.5 s one gives up, and leaves its place to another.
	time.Sleep(1500 * time.Millisecond)
	other.Withdraw()
	late := submit("/docs")

	// At 2 s /docs is released. The patient one has waited for just as long, and holds for the longest time that is in the bucket of
	// 1,023 µs.
	time.Sleep(500 * time.Millisecond)
	docs.Release()
	grant := <-patient.Granted()
	time.Sleep(1024*time.Microsecond - 1)
	grant.Release()

	// Now the late one has waited for 501,023 µs and something. It holds for the shortest time that is not in that bucket.
	grant = <-late.Granted()
	time.Sleep(1024 * time.Microsecond)
	grant.Release()
	third.Release() // after 2,002,047 µs and something

	// New requests are refused from now on. Two hold for ever.
	drained := make(chan error, 1)
	go func() { drained <- m.Drain(ctx) }()
	synctest.Wait()
	refused(8, treelock.ErrDraining, m.TryAcquire)

	golden, err := os.ReadFile("testdata/life.prom")
	if err != nil {
		t.Fatal(err)
	}
	shows("at the end", string(golden))

	// What the manager had counted is there when it has stopped.
	cancel()
	<-m.Done()
	<-drained
	shows("after the end", string(golden))
}

// TestEachNumberIsShownWhereItBelongs gives each field of the statistics a value of its own.
func TestEachNumberIsShownWhereItBelongs(t *testing.T) {
	source := fixed{
		Granted: 2, Waited: 3, Withdrawn: 5, Released: 7, Conflicts: 11, Busy: 13, Draining: 17,
		Live: 42, Waiting: 19, Nodes: 29, Inbox: 31,
		WaitTime: histogram([]uint64{37}), HoldTime: histogram([]uint64{41, 41}), Queue: histogram([]uint64{43, 43, 43}),
	}
	want := map[string]float64{
		"treelock_granted_total":                 2,
		"treelock_waited_total":                  3,
		"treelock_withdrawn_total":               5,
		"treelock_released_total":                7,
		"treelock_refused_total reason=conflict": 11,
		"treelock_refused_total reason=busy":     13,
		"treelock_refused_total reason=draining": 17,
		"treelock_live_requests state=holding":   23,
		"treelock_live_requests state=waiting":   19,
		"treelock_nodes":                         29,
		"treelock_inbox_messages":                31,
		"treelock_wait_seconds":                  37e-6,
		"treelock_hold_seconds":                  82e-6,
		"treelock_queue_length":                  129,
	}
	got := map[string]float64{}
	for _, family := range gather(t, source) {
		for _, metric := range family.GetMetric() {
			got[key(family, metric)] = value(metric)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

// key returns the name of a metric and its labels.
func key(family *dto.MetricFamily, metric *dto.Metric) string {
	name := family.GetName()
	for _, label := range metric.GetLabel() {
		name += " " + label.GetName() + "=" + label.GetValue()
	}
	return name
}

// value returns the value of a metric, or the sum of a histogram.
func value(metric *dto.Metric) float64 {
	if h := metric.GetHistogram(); h != nil {
		return h.GetSampleSum()
	}
	return metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
}

// TestThereAreAsManySeriesAsTheDocumentationSays counts them as Prometheus does.
func TestThereAreAsManySeriesAsTheDocumentationSays(t *testing.T) {
	series := 0
	for _, family := range gather(t, fixed{}) {
		for _, metric := range family.GetMetric() {
			series++
			if h := metric.GetHistogram(); h != nil {
				series += len(h.GetBucket()) + 2 // +Inf, sum and count, of which one is counted already
			}
		}
	}
	if series != 58 {
		t.Errorf("there are %d series, want 58", series)
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

// A counting source counts how often it is asked.
type counting struct{ asked atomic.Int64 }

func (c *counting) Stats() manager.Stats {
	c.asked.Add(1)
	return manager.Stats{}
}

func TestAScrapeAsksTheManagerOnce(t *testing.T) {
	source := new(counting)
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(metrics.New(source))
	if n := source.asked.Load(); n != 0 {
		t.Errorf("asked %d times when it was registered, want 0", n)
	}
	for scrape := range int64(3) {
		if _, err := registry.Gather(); err != nil {
			t.Fatal(err)
		}
		if n := source.asked.Load(); n != scrape+1 {
			t.Errorf("asked %d times after scrape %d, want once for each", n, scrape+1)
		}
	}
}

// TestManagersAreToldApartByTheirNames registers two collectors in one registry.
func TestManagersAreToldApartByTheirNames(t *testing.T) {
	named, unnamed := metrics.WithName, metrics.WithName("")
	for _, tc := range []struct {
		name          string
		first, second []metrics.Option
		refused       bool
		already       bool // as it is there
	}{
		{name: "two names", first: opts(named("a")), second: opts(named("b"))},
		{name: "one name", first: opts(named("a")), second: opts(named("a")), refused: true, already: true},
		{name: "no names", refused: true, already: true},
		{name: "an empty name is none", second: opts(unnamed), refused: true, already: true},
		{name: "a name and none", first: opts(named("a")), refused: true},
		{name: "the last name counts", first: opts(named("a")), second: opts(named("a"), named("b"))},
		{name: "the last name counts, even if it is none", second: opts(named("a"), unnamed), refused: true, already: true},
		{name: "not UTF-8", first: opts(named("a")), second: opts(named("\xff")), refused: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			registry := prometheus.NewPedanticRegistry()
			if err := registry.Register(metrics.New(fixed{}, tc.first...)); err != nil {
				t.Fatal(err)
			}
			err := registry.Register(metrics.New(fixed{}, tc.second...))
			var already prometheus.AlreadyRegisteredError
			if (err != nil) != tc.refused || errors.As(err, &already) != tc.already {
				t.Errorf("Register = %v, want an error: %v, of what is registered already: %v", err, tc.refused, tc.already)
			}
			if _, err := registry.Gather(); err != nil {
				t.Errorf("Gather = %v", err)
			}
		})
	}
}

func opts(o ...metrics.Option) []metrics.Option { return o }

func TestNilIsRefusedAtOnceAndByName(t *testing.T) {
	for want, with := range map[string]func(){
		"treelock: the source of a metrics.Collector is nil":    func() { metrics.New(nil) },
		"treelock: option 2 of 2 of a metrics.Collector is nil": func() { metrics.New(fixed{}, metrics.WithName("a"), nil) },
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("New panics with %v, want %q", got, want)
				}
			}()
			with()
		}()
	}
}

// TestACollectorMakesRoomForTheNextOfItsName has a manager replaced by another one, when nobody has kept the collector.
func TestACollectorMakesRoomForTheNextOfItsName(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(metrics.New(fixed{Granted: 1}, metrics.WithName("a")), metrics.New(fixed{}, metrics.WithName("b")))
	next := metrics.New(fixed{Granted: 2}, metrics.WithName("a"))
	if !registry.Unregister(next) {
		t.Error("Unregister = false, want true: it has the same name")
	}
	registry.MustRegister(next)
	err := testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP treelock_granted_total Requests granted, at once or after they had waited.
# TYPE treelock_granted_total counter
treelock_granted_total{manager="a"} 2
treelock_granted_total{manager="b"} 0
`), "treelock_granted_total")
	if err != nil {
		t.Error(err)
	}
}

// # A scrape shows one instant
//
// Clients are at work, each on a node of its own so that how many hold changes all the time, while several scrape. What holds is what was
// granted and not released, in each of them: it would not be if the collector asked twice.
func TestAScrapeUnderLoadShowsOneInstant(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := manager.Start(ctx)
	defer func() {
		cancel()
		<-m.Done()
	}()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(metrics.New(m))

	const clients, scrapers, rounds = 4, 2, 500
	stop, ended := make(chan struct{}), make(chan error, clients)
	for client := range clients {
		path := treelock.Path(fmt.Sprintf("/docs/%d", client))
		go func() { ended <- work(ctx, m, path, stop) }()
	}
	scraped := make(chan error, scrapers)
	for range scrapers {
		go func() { scraped <- scrape(registry, rounds) }()
	}
	for range scrapers {
		if err := <-scraped; err != nil {
			t.Error(err)
		}
	}
	close(stop)
	for range clients {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// work takes and releases path until stop is closed.
func work(ctx context.Context, m *manager.Manager[treelock.Path], path treelock.Path, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		grant, err := m.Acquire(ctx, treelock.Write(path))
		if err != nil {
			return err
		}
		grant.Release()
	}
}

// scrape looks at rounds scrapes, and returns what is wrong with the first bad one.
func scrape(g prometheus.Gatherer, rounds int) error {
	for range rounds {
		families, err := g.Gather()
		if err != nil {
			return err
		}
		got := map[string]float64{}
		for _, family := range families {
			for _, metric := range family.GetMetric() {
				got[key(family, metric)] = value(metric)
			}
		}
		granted, released := got["treelock_granted_total"], got["treelock_released_total"]
		if holding := got["treelock_live_requests state=holding"]; holding != granted-released {
			return fmt.Errorf("%v hold, want %v granted less %v released", holding, granted, released)
		}
	}
	return nil
}
