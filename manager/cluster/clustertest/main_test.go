package clustertest_test

import (
	"context"
	"os"
	"testing"

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
	return clientOf(t, clustertest.Endpoints(shared))
}

// clientOf returns a client of servers.
func clientOf(t testing.TB, endpoints []string) *clientv3.Client {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: endpoints, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

var background = context.Background()
