package clustertest_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager/cluster"
	"github.com/treelock/treelock/manager/cluster/clustertest"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.uber.org/zap"
)

// A backup is a snapshot of a server.
type backup struct{ file string }

// backUp makes a backup of a server.
func backUp(t testing.TB, s *clustertest.Server) backup {
	t.Helper()
	b := backup{filepath.Join(t.TempDir(), "backup")}
	if _, err := snapshot.NewV3(zap.NewNop()).Save(background, clientv3.Config{Endpoints: []string{s.Client}}, b.file); err != nil {
		t.Fatal(err)
	}
	return b
}

// restore gives a server, which does not run, the data of the backup. It is what etcdutl does with
// --bump-revision and --mark-compacted, if bump is not 0, and --initial-cluster-token.
func (b backup) restore(t testing.TB, s *clustertest.Server, bump uint64, token string) {
	t.Helper()
	s.Dir = filepath.Join(t.TempDir(), "restored")
	if err := snapshot.NewV3(zap.NewNop()).Restore(snapshot.RestoreConfig{
		SnapshotPath: b.file, Name: s.Name, OutputDataDir: s.Dir, PeerURLs: []string{s.Peer}, InitialCluster: s.Initial,
		InitialClusterToken: token, RevisionBump: bump, MarkCompacted: bump > 0,
	}); err != nil {
		t.Fatal(err)
	}
}

const (
	sameToken = "etcd-cluster" // that of a server that was given none
	newToken  = "restored"
	manyMore  = 1_000_000 // revisions
)

// A restored cluster has two processes that were there before the backup. One of them has done
// nothing in the log since then, so it finds all its keys in the backup. What the other one held at
// the backup it has released, and has acquired /later.
type restored struct {
	server      *clustertest.Server
	managers    []*cluster.Manager
	etcd        *clientv3.Client
	idle, busy  *cluster.Manager
	held, later treelock.Grant[treelock.Path]
	ttl         time.Duration
	token       uint64 // the largest before the restore
}

func restoreCluster(t *testing.T, ttl time.Duration, bump uint64, token string) *restored {
	t.Helper()
	r := &restored{server: startServers(t, 1)[0], ttl: ttl}
	r.etcd = clientFor(t, []string{r.server.Client})
	r.idle, r.busy = r.start(t, "idle"), r.start(t, "busy")
	r.held = acquire(t, r.idle, treelock.Write("/held"))
	early := acquire(t, r.busy, treelock.Write("/early"))
	saved := backUp(t, r.server)
	early.Release()
	for range 20 {
		acquire(t, r.busy, treelock.Write("/early")).Release()
	}
	r.later = acquire(t, r.busy, treelock.Write("/later"))
	r.token = r.later.Token()
	r.server.Kill()
	saved.restore(t, r.server, bump, token)
	if err := r.server.Run(); err != nil {
		t.Fatal(err)
	}
	return r
}

// start starts a manager, with a client of its own.
func (r *restored) start(t *testing.T, name string) *cluster.Manager {
	t.Helper()
	m, err := cluster.Start(background, clientFor(t, []string{r.server.Client}), "/locks", cluster.WithName(name), cluster.WithTTL(r.ttl), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		m.Shutdown(canceled())
		<-m.Done()
	})
	r.managers = append(r.managers, m)
	return m
}

// wantRefused checks that a process grants nothing, and says why.
func wantRefused(t *testing.T, m *cluster.Manager, why string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(background, time.Second)
	defer cancel()
	g, err := m.Acquire(ctx, treelock.Write("/other"))
	if err == nil {
		t.Fatalf("granted with token %d, want an error with %q", g.Token(), why)
	}
	if !errors.Is(err, treelock.ErrGaveUp) || !strings.Contains(err.Error(), why) {
		t.Errorf("%v, want ErrGaveUp with %q", err, why)
	}
}

// wantLarger checks that a process grants, with a token that is larger than all before the restore,
// also what was held at the backup and released after it.
func (r *restored) wantLarger(t *testing.T, m *cluster.Manager) {
	t.Helper()
	g := acquire(t, m, treelock.Write("/early", "/later"))
	if g.Token() <= r.token {
		t.Errorf("token %d after %d: tokens must grow", g.Token(), r.token)
	}
	g.Release()
}

// As the docs advise: with a bump of the revision and a new token. No process goes on before the
// operator says so.
func TestRestoreWithANewTokenStopsAllUntilMetaIsDeleted(t *testing.T) {
	t.Parallel()
	r := restoreCluster(t, testTTL, manyMore, newToken)
	wait(t, r.held.Lost(), "the idle process knows of the restore")
	wait(t, r.later.Lost(), "the busy process knows of the restore")
	const why = "was it restored from a backup?"
	wantRefused(t, r.idle, why)
	wantRefused(t, r.busy, why)
	if _, err := cluster.Start(background, r.etcd, "/locks", quiet); err == nil || !strings.Contains(err.Error(), why) {
		t.Fatalf("Start = %v, want an error with %q", err, why)
	}
	if _, err := r.etcd.Delete(background, "/locks/meta"); err != nil {
		t.Fatal(err)
	}
	r.start(t, "new")
	for _, m := range r.managers {
		r.wantLarger(t, m)
		acquire(t, m, treelock.Write("/held")).Release()
	}
	r.shutdown(t)
}

func TestRestoreWithABumpLetsTokensGrow(t *testing.T) {
	t.Parallel()
	r := restoreCluster(t, 3*testTTL, manyMore, sameToken) // it must outlast the restart
	wait(t, r.later.Lost(), "the busy process knows of the restore")
	r.start(t, "new")
	for _, m := range r.managers {
		r.wantLarger(t, m)
	}
	// What the idle process holds is in the backup, and its lease as well.
	if err := r.held.Err(); err != nil {
		t.Errorf("%v, want that the grant is held", err)
	}
	wantConflict(t, r.busy, treelock.Write("/held"))
	r.held.Release()
	r.shutdown(t)
}

// The docs warn of it: a new process cannot know. Those that run grant nothing before the tokens
// are larger than they were.
func TestRestoreWithoutABumpStopsProcessesThatRun(t *testing.T) {
	t.Parallel()
	r := restoreCluster(t, testTTL, 0, sameToken)
	wait(t, r.held.Lost(), "the idle process knows of the restore")
	wait(t, r.later.Lost(), "the busy process knows of the restore")
	const why = "restored from an earlier state"
	wantRefused(t, r.idle, why)
	wantRefused(t, r.busy, why)
	fresh := r.start(t, "new")
	if g := acquire(t, fresh, treelock.Write("/early")); g.Token() >= r.token {
		t.Errorf("token %d after %d: this is not the case that the docs warn of", g.Token(), r.token)
	} else {
		g.Release()
	}
	for i := range 100 {
		if _, err := r.etcd.Put(background, "/other", fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	r.wantLarger(t, r.idle)
	r.wantLarger(t, r.busy)
	r.shutdown(t)
}

// shutdown shuts the processes down, and checks that nothing is left.
func (r *restored) shutdown(t *testing.T) {
	t.Helper()
	for _, m := range r.managers {
		if err := m.Shutdown(background); err != nil {
			t.Error(err)
		}
	}
	awaitEmpty(t, r.etcd, "/locks")
}
