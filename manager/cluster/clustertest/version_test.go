package clustertest_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
)

// An otherServer says that it has a certain version. All else it asks a server that is there.
type otherServer struct {
	pb.UnimplementedMaintenanceServer
	pb.UnimplementedKVServer
	version string
	kv      pb.KVClient
	silent  bool // it does not say a version at all
	writes  atomic.Int64
}

func (s *otherServer) Status(ctx context.Context, _ *pb.StatusRequest) (*pb.StatusResponse, error) {
	if s.silent {
		<-ctx.Done()
	}
	return &pb.StatusResponse{Version: s.version}, ctx.Err()
}

func (s *otherServer) Range(ctx context.Context, r *pb.RangeRequest) (*pb.RangeResponse, error) {
	return s.kv.Range(ctx, r)
}

func (s *otherServer) Txn(ctx context.Context, r *pb.TxnRequest) (*pb.TxnResponse, error) {
	s.writes.Add(1)
	return s.kv.Txn(ctx, r)
}

// serve serves until the test ends, and returns a client.
func (s *otherServer) serve(t *testing.T) *clientv3.Client {
	t.Helper()
	s.kv = pb.NewKVClient(client(t).ActiveConnection())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	pb.RegisterMaintenanceServer(server, s)
	pb.RegisterKVServer(server, s)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		<-ended
	})
	return clientFor(t, []string{"http://" + l.Addr().String()})
}

func TestStartRefusesAnOldServer(t *testing.T) {
	prefix := "/" + t.Name()
	for version, why := range map[string]string{
		"2.3.8":      "the version of etcd is 2.3.8, and 3.5.13 or later is needed",
		"3.4.34":     "the version of etcd is 3.4.34, and 3.5.13 or later is needed",
		"3.5.12":     "the version of etcd is 3.5.12, and 3.5.13 or later is needed",
		"":           `the version of etcd is not known: it says ""`,
		"tomorrow":   `the version of etcd is not known: it says "tomorrow"`,
		"3.5.13":     "grant a lease", // of which it knows nothing
		"3.6.0-rc.1": "grant a lease",
		"10.0.0":     "grant a lease",
	} {
		other := &otherServer{version: version}
		wantNoStart(t, other.serve(t), prefix, 5*time.Second, why)
		if refused := other.writes.Load() == 0; refused != (why != "grant a lease") {
			t.Errorf("version %q: %d transactions", version, other.writes.Load())
		}
	}
	wantNoStart(t, (&otherServer{silent: true}).serve(t), prefix, time.Second, "ask for the version of etcd: context deadline exceeded")
}
