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

// A call to etcd that asks the owner of a request to end it is over before Done is closed, although
// it takes a while to end after the manager has stopped.
func TestDoneWaitsForARevocationUnderWay(t *testing.T) {
	owner := start(t, "owner")
	asked, over := make(chan struct{}), atomic.Bool{}
	etcd, err := clientv3.New(clientv3.Config{Endpoints: clustertest.Endpoints(shared), Logger: zap.NewNop(),
		DialOptions: []grpc.DialOption{grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any,
			cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			if strings.HasSuffix(method, "/Txn") && strings.Contains(fmt.Sprint(req), "/x/") {
				close(asked)
				<-ctx.Done()
				time.Sleep(100 * time.Millisecond)
				over.Store(true)
				return ctx.Err()
			}
			return invoke(ctx, method, req, reply, cc, opts...)
		})}})
	if err != nil {
		t.Fatal(err)
	}
	defer etcd.Close()
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
