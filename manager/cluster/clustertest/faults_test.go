//go:build unix

package clustertest_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/treelock/treelock/manager/cluster/clustertest"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// long reports whether tests run for longer.
func long() bool { return os.Getenv("TREELOCK_TESTS") == "long" }

// A cell is a fault. It is over when inflict returns.
type cell struct {
	name    string
	byHand  bool // keys are deleted by hand: then the holder is not the first to know
	inflict func(r *rig)
}

// cells of one group run on the same servers.
var cells = []struct {
	name    string
	servers int // 0: the shared one
	serial  bool
	cells   []cell
}{
	{"workers", 0, false, []cell{
		{"none", false, func(r *rig) { time.Sleep(time.Second) }},
		{"worker killed", false, func(r *rig) { r.workers[0].Kill() }},
		{"worker stopped within its lease", false, func(r *rig) { r.stopWorker(testTTL / 3) }},
		{"worker stopped beyond its lease", false, func(r *rig) { r.stopWorker(2 * testTTL) }},
		{"lease revoked by hand", true, revokeLease},
		{"batch deleted by hand", true, deleteBatch},
		{"transaction replayed", false, replay},
		{"bad value by hand", true, badValue},
	}},
	{"network", 0, false, []cell{
		{"cut", false, func(r *rig) { r.fail(clustertest.Faults{Cut: true}, 2*testTTL) }},
		{"cut for a moment", false, func(r *rig) { r.fail(clustertest.Faults{Cut: true}, 0) }},
		{"delay", false, func(r *rig) { r.fail(clustertest.Faults{Delay: 100 * time.Millisecond}, testTTL) }},
		{"nothing to the server", false, func(r *rig) { r.fail(clustertest.Faults{ToServer: true}, 2*testTTL) }},
		{"nothing to the worker", false, func(r *rig) { r.fail(clustertest.Faults{ToClient: true}, 2*testTTL) }},
		{"nothing both ways", false, func(r *rig) { r.fail(clustertest.Faults{ToServer: true, ToClient: true}, 2*testTTL) }},
		{"nothing both ways within the lease", false, func(r *rig) {
			r.fail(clustertest.Faults{ToServer: true, ToClient: true}, testTTL/3)
		}},
	}},
	{"network of 3", 3, false, []cell{
		{"one server cut", false, func(r *rig) { r.failOne(clustertest.Faults{Cut: true}) }},
		{"one server receives nothing", false, func(r *rig) { r.failOne(clustertest.Faults{ToServer: true}) }},
		{"one server sends nothing", false, func(r *rig) { r.failOne(clustertest.Faults{ToClient: true}) }},
		{"one server unreachable", false, func(r *rig) { r.failOne(clustertest.Faults{ToServer: true, ToClient: true}) }},
	}},
	{"servers of 3", 3, true, []cell{
		{"leader moved", false, moveLeader},
		{"leader killed", false, func(r *rig) { r.killServer(r.leader()) }},
		{"follower killed", false, func(r *rig) { r.killServer((r.leader() + 1) % 3) }},
		{"leader stopped beyond an election", false, func(r *rig) { r.stopServers(3*time.Second, r.leader()) }},
		{"leader stopped beyond a lease", false, func(r *rig) { r.stopServers(3*testTTL, r.leader()) }},
		{"follower stopped", false, func(r *rig) { r.stopServers(3*time.Second, (r.leader()+1)%3) }},
		{"majority stopped", false, func(r *rig) { r.stopServers(2*testTTL, 0, 1) }},
		{"all restarted", false, restartAll},
	}},
	{"server of 1", 1, true, []cell{
		{"server killed", false, func(r *rig) { r.killServer(0) }},
		{"server stopped within the lease", false, func(r *rig) { r.stopServers(testTTL/3, 0) }},
		{"server stopped beyond the lease", false, func(r *rig) { r.stopServers(2*testTTL, 0) }},
		{"compaction", false, compact},
	}},
}

// A row is what the table of the cells has of one.
type row struct {
	name         string
	runs, failed int
	sum          result
}

// TestFaults runs each cell of the matrix once with TREELOCK_TESTS=faults, and 20 times with
// TREELOCK_TESTS=long. It is about times, so it needs the machine for itself.
func TestFaults(t *testing.T) {
	if !long() && os.Getenv("TREELOCK_TESTS") != "faults" {
		t.Skip("it stops servers and processes for a minute; TREELOCK_TESTS=faults runs it")
	}
	var mu sync.Mutex
	var table []*row
	t.Run("cells", func(t *testing.T) {
		for _, group := range cells {
			t.Run(group.name, func(t *testing.T) {
				t.Parallel()
				servers := shared
				if group.servers > 0 {
					servers = startServers(t, group.servers)
				}
				for _, c := range group.cells {
					entry := &row{name: group.name + ": " + c.name}
					mu.Lock()
					table = append(table, entry)
					mu.Unlock()
					t.Run(c.name, func(t *testing.T) {
						if !group.serial {
							t.Parallel()
						}
						runCell(t, c, servers, entry)
					})
				}
			})
		}
	})
	t.Log("\n" + text(table))
	checkSeen(t, table)
}

// checkSeen checks that the runs of all cells have shown each action of the model.
func checkSeen(t *testing.T, table []*row) {
	total := 0
	for _, group := range cells {
		total += len(group.cells)
	}
	if len(table) < total || slices.ContainsFunc(table, func(e *row) bool { return e.runs == 0 }) {
		return // -run has left some out
	}
	for _, action := range clustertest.Actions {
		t.Logf("%9d %s", seen[action], action)
		if seen[action] == 0 {
			t.Errorf("no run has shown the action %q of the model", action)
		}
	}
}

func runCell(t *testing.T, c cell, servers []*clustertest.Server, entry *row) {
	runs := 1
	if long() {
		runs = 20
	}
	entry.sum.early = clustertest.Forever
	for i := range runs {
		ok := t.Run(fmt.Sprintf("run=%d", i), func(t *testing.T) {
			r := newRig(t, servers)
			c.inflict(r)
			r.awaitProgress()
			entry.add(r.finish(c.byHand))
		})
		entry.runs++
		if !ok {
			entry.failed++
		}
	}
}

func (e *row) add(r result) {
	e.sum.grants += r.grants
	e.sum.lost += r.lost
	e.sum.failed += r.failed
	e.sum.longest = max(e.sum.longest, r.longest)
	e.sum.early = min(e.sum.early, r.early)
}

// text returns the table of the cells.
func text(table []*row) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "cell\truns\tfailed\tgrants\tlost\tno grant\tlongest\tknown early\t")
	for _, e := range table {
		early := "-"
		if e.sum.early != clustertest.Forever {
			early = e.sum.early.Round(time.Millisecond).String()
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%v\t%s\t\n", e.name, e.runs, e.failed, e.sum.grants, e.sum.lost,
			e.sum.failed, e.sum.longest.Round(time.Millisecond), early)
	}
	w.Flush()
	return b.String()
}

func (r *rig) stopWorker(d time.Duration) {
	r.workers[0].Stop()
	time.Sleep(d)
	r.workers[0].Continue()
}

// fail makes the connections of the first worker fail.
func (r *rig) fail(f clustertest.Faults, d time.Duration) {
	for _, p := range r.proxies[0] {
		p.Set(f)
	}
	time.Sleep(d)
	for _, p := range r.proxies[0] {
		p.Set(clustertest.Faults{})
	}
}

// failOne makes the connections of all workers with one server fail. With the other servers they
// must go on, so it waits for grants meanwhile.
func (r *rig) failOne(f clustertest.Faults) {
	for _, proxies := range r.proxies {
		proxies[0].Set(f)
	}
	time.Sleep(testTTL)
	r.awaitProgress()
	for _, proxies := range r.proxies {
		proxies[0].Set(clustertest.Faults{})
	}
}

func (r *rig) leader() int {
	r.Helper()
	return leaderOf(r, r.etcd, r.servers)
}

// leaderOf returns the index of the leader.
func leaderOf(t testing.TB, etcd *clientv3.Client, servers []*clustertest.Server) int {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		for i, s := range servers {
			ctx, cancel := context.WithTimeout(background, time.Second)
			status, err := etcd.Status(ctx, s.Client)
			cancel()
			if err == nil && status.Leader == status.Header.MemberId {
				return i
			}
		}
	}
	t.Fatal("no leader")
	return 0
}

func (r *rig) killServer(i int) {
	r.servers[i].Kill()
	time.Sleep(testTTL / 2)
	if len(r.servers) > 1 {
		r.awaitProgress()
	}
	if err := r.servers[i].Run(); err != nil {
		r.Fatal(err)
	}
}

// stopServers stops servers for a while. A leader that was stopped may then revoke leases that have
// ended by its clock, although the new leader has renewed them: etcd 3.7.3 does not ask whether it
// still leads if its ticker has run just before (EtcdServer.isActive). No client can prevent that.
func (r *rig) stopServers(d time.Duration, servers ...int) {
	for _, i := range servers {
		r.servers[i].Stop()
	}
	time.Sleep(d)
	if len(r.servers) > 1 && d > testTTL {
		defer r.unordered()()
	}
	for _, i := range servers {
		r.servers[i].Continue()
	}
	r.healed = clustertest.Now()
}

func moveLeader(r *rig) {
	for range 3 {
		i := r.leader()
		etcd := clientFor(r, []string{r.servers[i].Client})
		members, err := etcd.MemberList(background)
		if err != nil {
			r.Fatal(err)
		}
		for _, m := range members.Members {
			if m.ID != members.Header.MemberId {
				if _, err := etcd.MoveLeader(background, m.ID); err != nil {
					r.Log(err)
				}
				break
			}
		}
		time.Sleep(testTTL / 4)
	}
}

func restartAll(r *rig) {
	for _, s := range r.servers {
		s.Kill()
	}
	errs := make(chan error, len(r.servers))
	for _, s := range r.servers {
		go func() { errs <- s.Run() }()
	}
	for range r.servers {
		if err := <-errs; err != nil {
			r.Fatal(err)
		}
	}
}

// compact compacts the log after each write, also while a worker starts.
func compact(r *rig) {
	compactions, stop := compactEachWrite(r, r.etcd)
	w := *r.workers[0]
	w.Name, w.Trace = "late", w.Trace+"-late"
	late, err := clustertest.StartWorker(w.Work)
	if err != nil {
		r.Fatal(err)
	}
	r.workers = append(r.workers, late)
	time.Sleep(testTTL)
	for end := time.Now().Add(10 * testTTL); compactions() < 100; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			r.Fatalf("only %d compactions", compactions())
		}
	}
	stop()
}

// controlKey returns the control key of a session, and its lease.
func (r *rig) controlKey() (key string, lease int64) {
	r.Helper()
	resp, err := r.etcd.Get(background, r.prefix+"/c/", clientv3.WithPrefix())
	if err != nil || len(resp.Kvs) == 0 {
		r.Fatal("no session", err)
	}
	return string(resp.Kvs[0].Key), resp.Kvs[0].Lease
}

// unordered makes the checker allow, until a little after the returned function was called, that
// what ends by hand is granted to others before its holder knows.
func (r *rig) unordered() func() {
	from := clustertest.Now()
	return func() {
		time.Sleep(500 * time.Millisecond)
		for _, w := range r.workers {
			w.Pauses = append(w.Pauses, clustertest.Pause{From: from, To: clustertest.Now()})
		}
	}
}

func revokeLease(r *rig) {
	defer r.unordered()()
	_, lease := r.controlKey()
	if _, err := r.etcd.Revoke(background, clientv3.LeaseID(lease)); err != nil {
		r.Fatal(err)
	}
}

func deleteBatch(r *rig) {
	defer r.unordered()()
	for range 10 {
		key, _ := r.controlKey()
		session := key[strings.LastIndex(key, "/"):]
		resp, err := r.etcd.Get(background, r.prefix+"/q"+session+"/", clientv3.WithPrefix())
		if err != nil {
			r.Fatal(err)
		}
		for _, kv := range resp.Kvs {
			if strings.HasSuffix(string(kv.Key), "/a") {
				if _, err := r.etcd.Delete(background, string(kv.Key)); err != nil {
					r.Fatal(err)
				}
				return
			}
		}
	}
	r.Fatal("no batch to delete")
}

// badValue writes what no session writes, with the lease of a session: all must fence it.
func badValue(r *rig) {
	defer r.unordered()()
	key, lease := r.controlKey()
	bad := r.prefix + "/q" + key[strings.LastIndex(key, "/"):] + "/1/d"
	if _, err := r.etcd.Put(background, bad, "bad", clientv3.WithLease(clientv3.LeaseID(lease))); err != nil {
		r.Fatal(err)
	}
}

// replay sends transactions of the workers again, late: the same condition, the same operations.
func replay(r *rig) {
	ctx, cancel := context.WithTimeout(background, testTTL)
	defer cancel()
	type write struct {
		key, control, value string
		n                   string
		lease               clientv3.LeaseID
	}
	var writes []write
	for resp := range r.etcd.Watch(ctx, r.prefix+"/q/", clientv3.WithPrefix()) {
		for _, e := range resp.Events {
			key := string(e.Kv.Key)
			if e.Type == clientv3.EventTypePut && strings.HasSuffix(key, "/a") {
				parts := strings.Split(strings.TrimPrefix(key, r.prefix+"/q/"), "/")
				writes = append(writes, write{key, r.prefix + "/c/" + parts[0], string(e.Kv.Value), parts[1], clientv3.LeaseID(e.Kv.Lease)})
			}
		}
	}
	if len(writes) < 10 {
		r.Fatalf("%d transactions in %v", len(writes), testTTL)
	}
	applied := 0
	for _, w := range writes[:min(len(writes), 500)] {
		var n int
		fmt.Sscan(w.n, &n)
		before := clientv3.Compare(clientv3.Value(w.control), "=", fmt.Sprint(n-1))
		resp, err := r.etcd.Txn(background).If(before).Then(
			clientv3.OpPut(w.control, w.n, clientv3.WithLease(w.lease)), clientv3.OpPut(w.key, w.value, clientv3.WithLease(w.lease)),
		).Else(clientv3.OpGet(w.control)).Commit()
		if err != nil {
			r.Fatal(err)
		}
		if resp.Succeeded {
			applied++
		}
	}
	if applied > 0 {
		r.Errorf("%d of %d transactions were applied twice", applied, len(writes))
	}
}
