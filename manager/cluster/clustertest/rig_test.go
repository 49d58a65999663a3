//go:build unix

package clustertest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/treelock/treelock/manager/cluster/clustertest"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	testWorkers = 3
	testClients = 4 // of a worker
	// recovery is how long it may take after a fault until all clients get grants again.
	recovery = 20 * time.Second
)

// A rig has workers on a prefix of its own, each with a proxy to each server.
type rig struct {
	testing.TB
	servers []*clustertest.Server
	prefix  string
	workers []*clustertest.Worker
	proxies [][]*clustertest.Proxy // by worker and server
	etcd    *clientv3.Client       // past the proxies
	audit   *audit
	healed  time.Duration // when the fault was over
}

// newRig starts workers, and waits until all of them work.
func newRig(t testing.TB, servers []*clustertest.Server) *rig {
	t.Helper()
	r := &rig{TB: t, servers: servers, prefix: "/" + strings.ReplaceAll(t.Name(), "#", "-"), etcd: clientFor(t, clustertest.Endpoints(servers))}
	r.audit = startAudit(t, r.etcd, r.prefix)
	dir := t.TempDir()
	var started sync.WaitGroup
	r.workers = make([]*clustertest.Worker, testWorkers)
	errs := make([]error, testWorkers)
	for i := range r.workers {
		proxies, urls := startProxies(t, servers)
		r.proxies = append(r.proxies, proxies)
		name := fmt.Sprintf("worker-%d", i)
		started.Go(func() {
			r.workers[i], errs[i] = clustertest.StartWorker(clustertest.Work{
				Endpoints: urls, Prefix: r.prefix, Name: name, TTL: testTTL, Clients: testClients,
				Trace: filepath.Join(dir, name),
			})
		})
	}
	started.Wait()
	t.Cleanup(func() {
		for _, w := range r.workers {
			if w != nil {
				w.Kill()
			}
		}
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	r.awaitProgress()
	return r
}

// awaitProgress waits until each client of each worker that lives has a grant that it has asked for
// from now on.
func (r *rig) awaitProgress() {
	r.Helper()
	from := clustertest.Now()
	for until := from + recovery; ; time.Sleep(20 * time.Millisecond) {
		missing := r.missing(from)
		if len(missing) == 0 {
			return
		}
		if clustertest.Now() > until {
			for _, w := range r.workers {
				text, _ := os.ReadFile(w.Trace + ".log")
				r.Logf("%s:\n%s", w.Name, text[max(0, len(text)-3000):])
			}
			r.Fatalf("no grant within %v after the fault for %q", recovery, missing)
		}
	}
}

// missing returns the clients that have no grant since a time.
func (r *rig) missing(from time.Duration) (missing []string) {
	for _, w := range r.workers {
		if w.Killed() {
			continue
		}
		_, events, err := w.Spans()
		if err != nil {
			missing = append(missing, w.Name) // it has no trace yet
			continue
		}
		for id := range testClients {
			if !slices.ContainsFunc(events, func(e clustertest.Event) bool {
				return e.Kind == clustertest.Granted && e.Client == id && e.At-e.Took > from
			}) {
				missing = append(missing, fmt.Sprintf("%s/%d", w.Name, id))
			}
		}
	}
	return missing
}

// A result is what a run of a cell has counted.
type result struct {
	grants, lost, failed int
	longest              time.Duration // from a request to its grant
	// early is the least time by which a worker knew that a grant was lost before etcd deleted its
	// key.
	early time.Duration
}

// finish ends the workers, and checks all that was promised.
func (r *rig) finish(lossByHand bool) (sum result) {
	r.Helper()
	for _, w := range r.workers {
		if !w.Killed() {
			if err := w.End(); err != nil {
				text, _ := os.ReadFile(w.Trace + ".log")
				r.Errorf("%s: %v\n%s", w.Name, err, text[max(0, len(text)-3000):])
			}
		}
	}
	r.awaitEmpty()
	return r.verify(lossByHand)
}

// verify checks what workers have done that have ended.
func (r *rig) verify(lossByHand bool) (sum result) {
	r.Helper()
	deleted := r.audit.finish(r, r.etcd, r.prefix)
	sum.early = clustertest.Forever
	var all []clustertest.Span
	for _, w := range r.workers {
		spans, events, err := w.Spans()
		if err != nil {
			r.Error(err)
		}
		all = append(all, spans...)
		r.checkEvents(w, events, &sum)
		r.validate(w, events)
		for _, e := range events {
			if !e.Lost || lossByHand || stoppedAt(w, e.At) {
				continue
			}
			if at, ok := deleted[int64(e.Token>>16)]; !ok {
				r.Errorf("%s lost a grant with token %d, but no key of it was deleted", w.Name, e.Token)
			} else if sum.early = min(sum.early, at-e.At); at <= e.At {
				r.Errorf("%s knew only %v after etcd had deleted the key that its grant was lost, %v after the fault",
					w.Name, e.At-at, at-r.healed)
			}
		}
	}
	for _, text := range clustertest.Check(all) {
		r.Error(text)
	}
	return sum
}

// validate replays what a worker did by the model.
func (r *rig) validate(w *clustertest.Worker, events []clustertest.Event) {
	r.Helper()
	all, err := clustertest.ReadSteps(w.Trace + ".steps")
	if err != nil {
		r.Fatal(err)
	}
	if err := clustertest.Validate(w.Name, all, events, w.Killed(), r.audit.log, see); err != nil {
		r.Errorf("the model does not explain a run: %v", err)
	}
}

// seen counts the actions of the model in all runs of this process.
var (
	seenMu sync.Mutex
	seen   = map[string]int{}
)

func see(action string) {
	seenMu.Lock()
	defer seenMu.Unlock()
	seen[action]++
}

// stoppedAt reports whether a worker had just been stopped then: it learns only later what it has
// lost.
func stoppedAt(w *clustertest.Worker, at time.Duration) bool {
	return slices.ContainsFunc(w.Pauses, func(p clustertest.Pause) bool { return at >= p.From && at < p.To+time.Second })
}

// checkEvents counts events, and checks that each request has ended, for a reason that a fault
// explains.
func (r *rig) checkEvents(w *clustertest.Worker, events []clustertest.Event, sum *result) {
	r.Helper()
	type id struct{ client, number int }
	open := map[id]bool{}
	for _, e := range events {
		key := id{e.Client, e.Number}
		switch e.Kind {
		case clustertest.Asked:
			open[key] = true
			continue
		case clustertest.Granted:
			sum.grants++
			sum.longest = max(sum.longest, e.Took)
		case clustertest.Failed:
			sum.failed++
			if e.Error != "" {
				r.Errorf("%s/%d/%d after %v: %s", w.Name, e.Client, e.Number, e.Took, e.Error)
			}
		case clustertest.Ended:
			if e.Lost {
				sum.lost++
			}
			continue
		default:
			continue
		}
		delete(open, key)
	}
	if len(open) > 0 && !w.Killed() {
		r.Errorf("%s has requests that never ended: %v", w.Name, open)
	}
}

// awaitEmpty waits until nothing is under the prefix but the version of the format: at most for a
// lease.
func (r *rig) awaitEmpty() {
	r.Helper()
	awaitEmpty(r, r.etcd, r.prefix)
}

// lastKey is a key that ends the log of an audit. No session writes it.
const lastKey = "/q/end"

// An audit watches the keys of a prefix.
type audit struct {
	cancel context.CancelFunc
	wrong  []string
	made   map[string]int64        // batches, with their revisions
	gone   map[int64]time.Duration // when a batch was deleted, by its revision
	ended  chan struct{}
	log    *clustertest.Log
	last   chan struct{} // closed when the key of finish is seen
}

// startAudit begins to watch a prefix.
func startAudit(t testing.TB, etcd *clientv3.Client, prefix string) *audit {
	ctx, cancel := context.WithCancel(background)
	a := &audit{cancel: cancel, made: map[string]int64{}, gone: map[int64]time.Duration{}, ended: make(chan struct{}),
		log: clustertest.NewLog(prefix), last: make(chan struct{})}
	created := make(chan struct{})
	go func() {
		defer close(a.ended)
		next := int64(0)
		for first := true; ctx.Err() == nil; first = false {
			for resp := range etcd.Watch(ctx, prefix+"/q/", clientv3.WithPrefix(), clientv3.WithCreatedNotify(), clientv3.WithRev(next)) {
				if resp.Created && first {
					close(created)
					first = false
					next = resp.Header.Revision + 1
				}
				if resp.CompactRevision > 0 {
					a.wrong = append(a.wrong, "the audit has a gap: the log was compacted")
					next = resp.CompactRevision
				}
				for _, e := range resp.Events {
					a.see(e)
					next = e.Kv.ModRevision + 1
				}
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-a.ended
	})
	select {
	case <-created:
	case <-time.After(20 * time.Second):
		t.Fatal("etcd does not serve a watch")
	}
	return a
}

// see checks that the key of a batch is written once, and never again after it was deleted.
func (a *audit) see(e *clientv3.Event) {
	key := string(e.Kv.Key)
	a.log.Add(e)
	if strings.HasSuffix(key, lastKey) && e.Type == clientv3.EventTypePut {
		close(a.last)
	}
	if !strings.HasSuffix(key, "/a") {
		return
	}
	if e.Type == clientv3.EventTypeDelete {
		a.gone[a.made[key]] = clustertest.Now()
		return
	}
	if _, known := a.made[key]; known {
		a.wrong = append(a.wrong, key+" was written twice")
	}
	a.made[key] = e.Kv.CreateRevision
}

// finish ends the audit, and returns when batches were deleted, by their revisions.
func (a *audit) finish(t testing.TB, etcd *clientv3.Client, prefix string) map[int64]time.Duration {
	t.Helper()
	if _, err := etcd.Put(background, prefix+lastKey, ""); err != nil {
		t.Error(err)
	}
	if _, err := etcd.Delete(background, prefix+lastKey); err != nil {
		t.Error(err)
	}
	select {
	case <-a.last:
	case <-time.After(20 * time.Second):
		t.Error("the audit does not see the end of the log")
	}
	a.cancel()
	<-a.ended
	for _, text := range a.wrong {
		t.Error(text)
	}
	return a.gone
}

func init() { roles = append(roles, clustertest.WorkIfAsked) }
