package metrics

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/treelock/treelock/manager"
)

// A Source has the statistics of a manager. Every [manager.Manager] is one, for any type of node.
type Source interface {
	Stats() manager.Stats
}

// An Option changes what a collector exports. See the functions that return one.
type Option func(*options)

type options struct{ labels prometheus.Labels }

// WithName adds the label manager, with this value, to all metrics. It tells the managers in one
// registry apart. An empty name adds no label.
//
// Two collectors in one registry must have different names, and one without a name must be alone;
// otherwise Register returns its usual errors. It also refuses a name that is not UTF-8.
func WithName(name string) Option {
	return func(o *options) {
		o.labels = nil
		if name != "" {
			o.labels = prometheus.Labels{"manager": name}
		}
	}
}

// A Collector is a [prometheus.Collector] for the statistics of one manager. [New] returns one. It
// is safe for concurrent use, and for use in several registries.
type Collector struct {
	source Source

	granted, waited, withdrawn, released, widened *prometheus.Desc

	refused *prometheus.Desc // by reason

	live         *prometheus.Desc // by state
	nodes, inbox *prometheus.Desc

	wait, hold, queue *prometheus.Desc
}

// New returns a collector for the manager source. It first calls source at the first scrape. It
// panics if source or an option is nil, as a scrape, which runs on a goroutine of the registry,
// would otherwise end the program.
//
// A manager that replaces a stopped one needs a new collector. Unregister the old collector first,
// or any collector of the same name, which has the same effect.
func New(source Source, opts ...Option) *Collector {
	if source == nil {
		panic("treelock: the source of a metrics.Collector is nil")
	}
	var o options
	for i, opt := range opts {
		if opt == nil {
			panic(fmt.Sprintf("treelock: option %d of %d of a metrics.Collector is nil", i+1, len(opts)))
		}
		opt(&o)
	}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("treelock_"+name, help, labels, o.labels)
	}
	return &Collector{
		source: source,

		granted:   desc("granted_total", "Requests granted, at once or after a wait."),
		waited:    desc("waited_total", "Requests that had to wait, whatever their end."),
		withdrawn: desc("withdrawn_total", "Requests that ended while they waited: withdrawn or canceled."),
		released:  desc("released_total", "Grants that ended."),
		widened:   desc("widened_total", "Grants that came to hold more."),
		refused: desc("refused_total",
			"Requests refused: conflict, busy (too many waiting), draining, suspended or deadlock.", "reason"),

		live:  desc("live_requests", "Requests that are live: holding or waiting.", "state"),
		nodes: desc("nodes", "Nodes in memory, including idle ones."),
		inbox: desc("inbox_messages", "Messages that the manager has not handled yet."),

		wait:  desc("wait_seconds", "Waits that ended in a grant."),
		hold:  desc("hold_seconds", "Times from grant to release."),
		queue: desc("queue_length", "Waiting requests, at each arrival of one, including it."),
	}
}

// Describe sends the descriptions of all metrics. A registry calls it. They never change.
func (c *Collector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		c.granted, c.waited, c.withdrawn, c.released, c.widened, c.refused,
		c.live, c.nodes, c.inbox,
		c.wait, c.hold, c.queue,
	} {
		descs <- desc
	}
}

// Collect gets the statistics of the manager and sends them. A registry calls it at each scrape. It
// gets them with one call, so the numbers are of one instant.
func (c *Collector) Collect(metrics chan<- prometheus.Metric) {
	s := c.source.Stats()

	count := func(desc *prometheus.Desc, n uint64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), labels...)
	}
	count(c.granted, s.Granted)
	count(c.waited, s.Waited)
	count(c.withdrawn, s.Withdrawn)
	count(c.released, s.Released)
	count(c.widened, s.Widened)
	count(c.refused, s.Conflicts, "conflict")
	count(c.refused, s.Busy, "busy")
	count(c.refused, s.Draining, "draining")
	count(c.refused, s.Suspended, "suspended")
	count(c.refused, s.Deadlocks, "deadlock")

	gauge := func(desc *prometheus.Desc, n int, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n), labels...)
	}
	gauge(c.live, s.Live-s.Waiting, "holding") // so that the sum over the states is Live
	gauge(c.live, s.Waiting, "waiting")
	gauge(c.nodes, s.Nodes)
	gauge(c.inbox, s.Inbox)

	metrics <- seconds.histogram(c.wait, s.WaitTime)
	metrics <- seconds.histogram(c.hold, s.HoldTime)
	metrics <- requests.histogram(c.queue, s.Queue)
}
