package clustertest_test

import (
	"context"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/treelock/treelock/manager/cluster/clustertest"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/goleak"
	"go.uber.org/zap"
)

// shared is one server, which tests share with prefixes of their own.
var shared []*clustertest.Server

// roles are run before the tests: each is for processes that were started for it.
var roles = []func(){clustertest.ServeIfAsked}

func TestMain(m *testing.M) {
	for _, role := range roles {
		role()
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "treelock-etcd-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	servers, err := clustertest.Start(dir, 1)
	if err != nil {
		panic(err)
	}
	defer servers[0].Kill()
	shared = servers
	if os.Getenv("TREELOCK_TESTS") == "" {
		// Most of the time parallel tests wait for leases. Those of the matrix measure times, and
		// are fewer at once.
		flag.Set("test.parallel", "4")
	}
	code := m.Run()
	if err := goleak.Find(goleak.IgnoreTopFunction("os/exec.(*Cmd).watchCtx")); err != nil && code == 0 {
		println(err.Error())
		return 1
	}
	return code
}

// client returns a client of the shared server.
func client(t testing.TB) *clientv3.Client {
	t.Helper()
	return clientFor(t, clustertest.Endpoints(shared))
}

// clientFor returns a client of servers.
func clientFor(t testing.TB, endpoints []string) *clientv3.Client {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: endpoints, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

var background = context.Background()

// startServers starts servers for a test, or for a benchmark: those sync.
func startServers(t testing.TB, n int, set ...func(*clustertest.Server)) []*clustertest.Server {
	t.Helper()
	if _, ok := t.(*testing.B); ok {
		set = append(set, func(s *clustertest.Server) { s.Sync = true })
	}
	servers, err := clustertest.Start(t.TempDir(), n, set...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, s := range servers {
			s.Kill()
		}
	})
	return servers
}

// startProxies starts a proxy for each server, and returns their URLs as well.
func startProxies(t testing.TB, servers []*clustertest.Server) (proxies []*clustertest.Proxy, urls []string) {
	t.Helper()
	for _, s := range servers {
		p, err := clustertest.NewProxy(s.Client)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		proxies, urls = append(proxies, p), append(urls, p.URL())
	}
	return proxies, urls
}

// awaitEmpty waits, at most for a lease, until only the version of the format is under a prefix.
func awaitEmpty(t testing.TB, etcd *clientv3.Client, prefix string) {
	t.Helper()
	// A new leader extends all leases once.
	for until := time.Now().Add(3*testTTL + 3*time.Second); ; time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(background, 5*time.Second)
		resp, err := etcd.Get(ctx, prefix+"/", clientv3.WithPrefix(), clientv3.WithKeysOnly())
		cancel()
		var keys []string
		if err == nil {
			for _, kv := range resp.Kvs {
				if key := string(kv.Key); key != prefix+"/meta" {
					keys = append(keys, key)
				}
			}
			if len(keys) == 0 {
				return
			}
		}
		if time.Now().After(until) {
			t.Fatalf("under the prefix after the lease: %q (%v)", keys, err)
		}
	}
}
