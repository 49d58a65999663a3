package clustertest_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager/cluster"
	"github.com/treelock/treelock/manager/cluster/clustertest"
)

// quiet is for managers that are to fail: their failures are no news.
var quiet = cluster.WithLogger(slog.New(slog.DiscardHandler))

// logTo returns the option to log into a buffer, which may be read once the managers have stopped.
func logTo(b *bytes.Buffer) cluster.Option {
	return cluster.WithLogger(slog.New(slog.NewTextHandler(b, nil)))
}

// A request that gets no place, as etcd has died, says that when its context ends.
func TestErrorSaysThatEtcdDoesNotAnswer(t *testing.T) {
	servers := startServers(t, 1)
	etcd := clientFor(t, clustertest.Endpoints(servers))
	m, err := cluster.Start(background, etcd, "/locks")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Shutdown(canceled())
	servers[0].Kill()
	ctx, cancel := context.WithTimeout(background, time.Second)
	defer cancel()
	_, err = m.Acquire(ctx, treelock.Write("/a"))
	if !errors.Is(err, treelock.ErrGaveUp) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Acquire without etcd = %v, want ErrGaveUp", err)
	}
	for _, part := range []string{"acquire write /a", "no place in the order yet", "transaction failed"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q: %v", part, err)
		}
	}
}

// A server that falls silent may be that of the watch. Others answer, so it must not take until the
// lease is renewed before that is noticed.
func TestSilentServerDoesNotHoldUpTheWatch(t *testing.T) {
	proxies, urls := startProxies(t, startServers(t, 3))
	m, err := cluster.Start(background, clientFor(t, urls), "/locks", cluster.WithTTL(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Shutdown(canceled())
	for i, p := range proxies {
		p.Set(clustertest.Faults{ToServer: true, ToClient: true})
		for range 5 {
			ctx, cancel := context.WithTimeout(background, 8*time.Second)
			g, err := m.Acquire(ctx, treelock.Write("/a"))
			cancel()
			if err != nil {
				t.Fatalf("server %d is silent: %v", i, err)
			}
			g.Release()
		}
		p.Set(clustertest.Faults{})
	}
}
