package metrics_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
	"github.com/treelock/treelock/manager/metrics"
)

// Two managers in one registry, and the page that Prometheus reads.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	folders, tenants := manager.Start(ctx), manager.Start(ctx)

	registry := prometheus.NewRegistry()
	registry.MustRegister(
		metrics.New(folders, metrics.WithName("folders")),
		metrics.New(tenants, metrics.WithName("tenants")),
	)
	page := promhttp.HandlerFor(registry, promhttp.HandlerOpts{}) // http.Handle("/metrics", page)

	grant, err := folders.Acquire(ctx, treelock.Write("/photos"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer grant.Release()
	_, err = folders.TryAcquire(treelock.Read("/photos/2025"))
	fmt.Println(err != nil)

	answer := httptest.NewRecorder()
	page.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		line := lines.Text()
		for _, name := range []string{"treelock_granted_total{", "treelock_refused_total{", "treelock_live_requests{"} {
			if strings.HasPrefix(line, name) {
				fmt.Println(line)
			}
		}
	}
	// Output:
	// true
	// treelock_granted_total{manager="folders"} 1
	// treelock_granted_total{manager="tenants"} 0
	// treelock_live_requests{manager="folders",state="holding"} 1
	// treelock_live_requests{manager="folders",state="waiting"} 0
	// treelock_live_requests{manager="tenants",state="holding"} 0
	// treelock_live_requests{manager="tenants",state="waiting"} 0
	// treelock_refused_total{manager="folders",reason="busy"} 0
	// treelock_refused_total{manager="folders",reason="conflict"} 1
	// treelock_refused_total{manager="folders",reason="draining"} 0
	// treelock_refused_total{manager="tenants",reason="busy"} 0
	// treelock_refused_total{manager="tenants",reason="conflict"} 0
	// treelock_refused_total{manager="tenants",reason="draining"} 0
}

// WithName lets one registry have several managers.
func ExampleWithName() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	registry := prometheus.NewRegistry()
	fmt.Println(registry.Register(metrics.New(m, metrics.WithName("folders"))))
	fmt.Println(registry.Register(metrics.New(m, metrics.WithName("tenants"))))
	fmt.Println(registry.Register(metrics.New(m, metrics.WithName("folders"))))
	// Output:
	// <nil>
	// <nil>
	// duplicate metrics collector registration attempted
}

// The collector of a manager that has stopped makes room for that of the next one.
func ExampleNew() {
	registry := prometheus.NewRegistry()
	for range 2 {
		ctx, cancel := context.WithCancel(context.Background())
		m := manager.Start(ctx)
		collector := metrics.New(m)
		fmt.Println(registry.Register(collector))

		cancel()
		<-m.Done()
		fmt.Println(registry.Unregister(collector))
	}
	// Output:
	// <nil>
	// true
	// <nil>
	// true
}
