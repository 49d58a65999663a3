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

// Two managers in one registry, and the answer that Prometheus gets.
func ExampleWithName() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	folders, tenants := manager.Start(ctx), manager.Start(ctx)

	registry := prometheus.NewRegistry()
	registry.MustRegister(
		metrics.New(folders, metrics.WithName("folders")),
		metrics.New(tenants, metrics.WithName("tenants")),
	)
	handler := promhttp.HandlerFor(registry, promhttp.HandlerOpts{}) // for /metrics

	grant, err := folders.Acquire(ctx, treelock.Write("/photos"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer grant.Release()

	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if line := lines.Text(); strings.HasPrefix(line, "treelock_live_requests{") {
			fmt.Println(line)
		}
	}
	// Output:
	// treelock_live_requests{manager="folders",state="holding"} 1
	// treelock_live_requests{manager="folders",state="waiting"} 0
	// treelock_live_requests{manager="tenants",state="holding"} 0
	// treelock_live_requests{manager="tenants",state="waiting"} 0
}

// The collector of a manager that has stopped must be unregistered before that of the next one.
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
