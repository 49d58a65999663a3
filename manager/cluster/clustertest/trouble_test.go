package clustertest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager/cluster"
	"github.com/treelock/treelock/manager/cluster/clustertest"
)

// A request that gets no place, as etcd has died, says that when its context ends.
func TestErrorSaysThatEtcdDoesNotAnswer(t *testing.T) {
	servers, err := clustertest.Start(t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer servers[0].Kill()
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
