package clustertest_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
	"github.com/treelock/treelock/manager/cluster"
	"github.com/treelock/treelock/manager/cluster/clustertest"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
)

// clientThat returns a client of the shared server, which it knows by two names. before is called
// before each call; if it returns an error, the call fails with that.
func clientThat(t *testing.T, before func(ctx context.Context, method string, req any) error) *clientv3.Client {
	t.Helper()
	intercept := func(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if err := before(ctx, method, req); err != nil {
			return err
		}
		return invoke(ctx, method, req, reply, conn, opts...)
	}
	url := clustertest.Endpoints(shared)[0]
	etcd, err := clientv3.New(clientv3.Config{Endpoints: []string{url, url + "/"}, Logger: zap.NewNop(),
		DialOptions: []grpc.DialOption{grpc.WithChainUnaryInterceptor(intercept)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { etcd.Close() })
	return etcd
}

// A call to etcd that asks the owner of a request to end it is over before Done is closed, although
// it takes a while to end after the manager has stopped.
func TestDoneWaitsForARevocationUnderWay(t *testing.T) {
	owner := start(t, "owner")
	asked, over := make(chan struct{}), atomic.Bool{}
	etcd := clientThat(t, func(ctx context.Context, method string, req any) error {
		if !strings.HasSuffix(method, "/Txn") || !strings.Contains(fmt.Sprint(req), "/x/") {
			return nil
		}
		close(asked)
		<-ctx.Done()
		time.Sleep(100 * time.Millisecond)
		over.Store(true)
		return ctx.Err()
	})
	m, err := cluster.Start(background, etcd, "/"+t.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer acquire(t, owner, treelock.Write("/a")).Release()
	m.Check(background, treelock.Read("/")) // brings the mirror up to date
	s, err := m.Snapshot(background, manager.Query[treelock.Path]{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(background)
	go m.Revoke(ctx, s.Holders[0].Number, context.Canceled)
	<-asked
	cancel()
	m.Shutdown(canceled())
	<-m.Done()
	if !over.Load() {
		t.Error("Done was closed while the owner of a request was being asked to end it")
	}
}

// After an attempt without an answer a lease is asked for twice at once. The race detector looks at
// what the two share.
func TestLeaseIsGrantedByTheSecondAttempt(t *testing.T) {
	var calls atomic.Int64
	etcd := clientThat(t, func(ctx context.Context, method string, _ any) error {
		if strings.HasSuffix(method, "/LeaseGrant") && calls.Add(1) == 1 {
			<-ctx.Done()
		}
		return ctx.Err()
	})
	m, err := cluster.Start(background, etcd, "/"+t.Name())
	if err != nil {
		t.Fatal(err)
	}
	acquire(t, m, treelock.Write("/a")).Release()
	m.Shutdown(canceled())
	if n := calls.Load(); n != 3 {
		t.Errorf("%d calls, want one without an answer and two at once", n)
	}
}
