package metrics

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/treelock/treelock/manager"
)

// A Source has the statistics of a manager. Every [manager.Manager] is one, whatever its nodes.
type Source interface {
	Stats() manager.Stats
}

// An Option changes what a collector shows. See the functions that return one.
type Option func(*options)

type options struct{ labels prometheus.Labels }

// WithName gives everything the label manager, with this value: it tells managers of one registry apart. Two collectors of one
// registry must not have the same name, and either all of them have one or there is one collector that has none: otherwise
// Register returns its usual errors. An empty name is none, and one that is not UTF-8 cannot be registered.
func WithName(name string) Option {
	return func(o *options) {
		o.labels = nil
		if name != "" {
			o.labels = prometheus.Labels{"manager": name}
		}
	}
}

// A Collector is a [prometheus.Collector] of what one manager has counted. Get one from [New]. It may be used from any goroutine, and
// in several registries.
type Collector struct {
	source Source

	granted, waited, withdrawn, released *prometheus.Desc
	refused                              *prometheus.Desc // by reason

	live         *prometheus.Desc // by state
	nodes, inbox *prometheus.Desc

	wait, hold, queue *prometheus.Desc
}

// New returns a collector for the manager source. It asks source for nothing until the first scrape. It panics if source
// or an option is nil: else each scrape would end the program, as a registry collects on goroutines of its own.
//
// A manager that takes the place of one that has stopped needs a new collector: unregister the old one, or, which is the same, any that
// has its name.
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

		granted:   desc("granted_total", "Requests granted, at once or after they had waited."),
		waited:    desc("waited_total", "Requests that had to wait, whatever became of them."),
		withdrawn: desc("withdrawn_total", "Requests that ended while they waited: withdrawn, or their context ended."),
		released:  desc("released_total", "Grants that ended."),
		refused:   desc("refused_total", "Requests refused, by reason: conflict, busy (too many waited) or draining.", "reason"),

		live:  desc("live_requests", "Requests that are live, by state: holding or waiting.", "state"),
		nodes: desc("nodes", "Nodes that are known, idle ones included."),
		inbox: desc("inbox_messages", "Messages that the manager has not dealt with yet."),

		wait:  desc("wait_seconds", "How long those waited that were granted after they had waited."),
		hold:  desc("hold_seconds", "How long those held that were released."),
		queue: desc("queue_length", "How many requests waited, at each arrival of one that had to, itself included."),
	}
}

// Describe sends the descriptions of all metrics; a registry calls it. They are the same for ever.
func (c *Collector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		c.granted, c.waited, c.withdrawn, c.released, c.refused,
		c.live, c.nodes, c.inbox,
		c.wait, c.hold, c.queue,
	} {
		descs <- desc
	}
}

// Collect asks the manager for its statistics, once, and sends what they say; a registry calls it at each scrape. As there is one
// answer, the numbers agree with each other.
func (c *Collector) Collect(metrics chan<- prometheus.Metric) {
	s := c.source.Stats()

	count := func(desc *prometheus.Desc, n uint64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), labels...)
	}
	count(c.granted, s.Granted)
	count(c.waited, s.Waited)
	count(c.withdrawn, s.Withdrawn)
	count(c.released, s.Released)
	count(c.refused, s.Conflicts, "conflict")
	count(c.refused, s.Busy, "busy")
	count(c.refused, s.Draining, "draining")

	gauge := func(desc *prometheus.Desc, n int, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n), labels...)
	}
	gauge(c.live, s.Live-s.Waiting, "holding") // not Live: a sum over the states is to count nobody twice
	gauge(c.live, s.Waiting, "waiting")
	gauge(c.nodes, s.Nodes)
	gauge(c.inbox, s.Inbox)

	metrics <- seconds.histogram(c.wait, s.WaitTime)
	metrics <- seconds.histogram(c.hold, s.HoldTime)
	metrics <- requests.histogram(c.queue, s.Queue)
}
