package cluster

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Bounds of etcd: --max-txn-ops and --max-request-bytes.
const (
	etcdOps   = 128
	etcdBytes = 3 << 19
)

// checkBounds checks that etcd takes a transaction, with a prefix of the greatest length.
func checkBounds(t *testing.T, transaction transaction) (operations, bytes int) {
	t.Helper()
	c := &conn{Manager: &Manager{keys: keys{"/" + strings.Repeat("p", maxPrefixLen-1)}}}
	ops := c.ops(transaction)
	size := 1000 // the condition, the branch that is not taken, and the header
	for _, op := range ops {
		size += len(op.KeyBytes()) + len(op.RangeBytes()) + len(op.ValueBytes()) + 40
	}
	if len(ops) > etcdOps || size > etcdBytes {
		t.Errorf("a transaction has %d operations and %d bytes", len(ops), size)
	}
	return len(ops), size
}

// wide returns claims that take about size bytes in the log, below a path.
func wide(path treelock.Path, size int) (claims []claim) {
	name := strings.Repeat("w", 240)
	for n := 0; n < size-300; n += 250 + len(path) {
		claims = append(claims, write(treelock.Path(fmt.Sprintf("%s/%s%05d", path, name, n/250%100_000)))...)
	}
	return claims
}

func TestRequestThatIsTooLargeForTheLogIsRefused(t *testing.T) {
	l := newLog("A")
	path := treelock.Path("/" + strings.Repeat("a", maxBatchLen))
	for _, test := range []struct {
		claims []claim
		label  string
		ok     bool
	}{
		// Lengths of 3 bytes, a number of claims, and a mode.
		{write(path[:maxBatchLen-6]), "", true},
		{write(path[:maxBatchLen-5]), "", false},
		{write(path[:maxBatchLen-16]), "0123456789", true},
		{write(path[:maxBatchLen-15]), "0123456789", false},
		{nil, "", true},
	} {
		_, err := l.Propose(test.claims, test.label)
		if (err == nil) != test.ok || err != nil && !errors.Is(err, treelock.ErrTooWide) {
			t.Errorf("a request of %d claims with label %q: %v, want %t", len(test.claims), test.label, err, test.ok)
		}
	}
	if n := len(l.unsent); n != 3 {
		t.Errorf("%d requests are to be sent, want 3", n)
	}
}

func TestNarrowingThatIsTooLargeForTheLogIsRefused(t *testing.T) {
	w := newWorld([][]plan{{{claims: write("/")}, {claims: write("/")}}}, budget{})
	p := w.processes[0]
	p.propose()
	p.propose()
	p.settle()
	w.run(isPlain(0))
	a := w.items[0]
	if err := p.log.Narrow(a.entry, wide("/a", maxBatchLen+10_000)); !errors.Is(err, treelock.ErrTooWide) {
		t.Errorf("a narrowing of more than a batch: %v, want ErrTooWide", err)
	}
	half := wide("/a", maxBatchLen*2/3)
	for range 3 { // the latest counts
		if err := p.log.Narrow(a.entry, half); err != nil {
			t.Error(err)
		}
	}
	p.end(a)
	if err := p.log.Narrow(w.items[1].entry, half); err != nil {
		t.Errorf("a narrowing that has ended counts: %v", err)
	}
}

// TestTransactionsFitIntoEtcd has sessions with as much to say as there can be: requests of all
// sizes are proposed, narrowed to as much as they may, guarded and ended, many for a transaction.
func TestTransactionsFitIntoEtcd(t *testing.T) {
	mostOps, mostBytes := 0, 0
	for _, test := range []struct {
		batches, each int // requests in each
		size          int // of a request
		narrow        int // bytes that each is narrowed to, 0 if not
		guard         bool
		end           int // requests of each batch
	}{
		{batches: 3, each: 1, size: maxBatchLen - 100},
		{batches: 3, each: 1, size: maxBatchLen - 100, narrow: maxBatchLen - 5000},
		{batches: 60, each: 3, size: 20, narrow: 200_000},
		{batches: 60, each: 2, size: 20, guard: true, end: 1},
		{batches: 90, each: 2, size: 20, guard: true, narrow: 2000, end: 1},
		{batches: 30, each: 4, size: 20, guard: true, narrow: 250_000, end: 3},
		{batches: 90, each: 1, size: 20, end: 1},
		{batches: 60, each: 2000, size: 20, end: 1999},
		{batches: 1, each: maxBatch, size: 4, narrow: 12, end: maxBatch - 1},
		{batches: 4, each: maxBatch, size: 4, narrow: 12, end: 1},
	} {
		w := newWorld([][]plan{nil}, budget{})
		p := w.processes[0]
		check := func() {
			p.settle()
			if len(p.log.linger) > 0 {
				<-p.log.linger
				p.log.urgent = true
				p.settle()
			}
			if p.current != nil {
				ops, bytes := checkBounds(t, *p.current)
				mostOps, mostBytes = max(mostOps, ops), max(mostBytes, bytes)
			}
		}
		commit := func() {
			check()
			for p.current != nil {
				tr := *p.current
				p.current = nil
				p.log.answered(tr, true, 1, -1)
				check()
			}
		}
		var all []*entry
		for b := range test.batches {
			for i := range test.each {
				claims := write("/")
				if test.size > 20 {
					claims = wide("/a", test.size)
				}
				e, err := p.log.Propose(claims, fmt.Sprint(b, i)[:min(test.size, 3)])
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, e)
			}
			commit()
		}
		// While a transaction is under way, all of this is said.
		occupy := func() {
			p.log.Propose(wide("/b", maxBatchLen), "")
			check()
			p.log.Propose(wide("/b", maxBatchLen), "")
		}
		occupy()
		for _, e := range all {
			if test.narrow > 20 {
				p.log.Narrow(e, wide("/a", test.narrow)) // or it is refused
			} else if test.narrow > 0 {
				p.log.Narrow(e, write("/a/b"))
			}
			if test.guard {
				p.log.guard(e.Journal.(*request))
			}
		}
		if test.guard {
			commit()
			occupy()
		}
		for i, e := range all {
			if i%test.each < test.end {
				ended := &item{process: p, entry: e, over: true, request: p.table.Submit(nil)}
				e.Manager = ended
				p.log.End(e, true)
			}
		}
		commit()
		if s := p.log.session; len(s.changed) > 0 || len(p.log.unsent) > 0 {
			t.Errorf("%+v: %d batches have changed, and %d requests were not sent, at the end", test, len(s.changed), len(p.log.unsent))
		}
	}
	t.Logf("at most %d operations and %d bytes", mostOps, mostBytes)
	if mostOps < etcdOps/2 || mostBytes < etcdBytes/2 {
		t.Error("the test does not come near to the bounds")
	}
}

// While there is no session, or a transaction is under way for long, requests come and go.
func TestRequestsThatAreNeverSentAreForgotten(t *testing.T) {
	l := newLog("A")
	for range 10_000 {
		e, err := l.Propose(write("/a"), "")
		if err != nil {
			t.Fatal(err)
		}
		l.End(e, false)
		l.Flush()
	}
	if n := len(l.unsent); n > 1 {
		t.Errorf("%d requests are kept", n)
	}
}

func TestOperationsAreThoseOfTheTransaction(t *testing.T) {
	c := &conn{Manager: &Manager{keys: keys{"/m"}}}
	b := &batch{n: 3}
	gone := &batch{n: 2}
	ops := c.ops(transaction{lease: 1, n: 7, batch: []byte("b"), amendments: map[int64][]byte{3: []byte("d")}, deleted: []int64{2},
		guards: []*request{{batch: b, index: 4}}, unguarded: []*request{{batch: b, index: 5}, {batch: gone, index: 6}}})
	want := map[string]string{
		"/m/c/0000000000000001":       "put 7",
		"/m/q/0000000000000001/7/a":   "put b",
		"/m/q/0000000000000001/3/d":   "put d",
		"/m/q/0000000000000001/3/g/4": "put ",
		"/m/q/0000000000000001/3/g/5": "delete ",
		"/m/q/0000000000000001/2/":    "delete " + clientv3.GetPrefixRangeEnd("/m/q/0000000000000001/2/"),
	}
	for _, op := range ops {
		got := "delete " + string(op.RangeBytes())
		if op.IsPut() {
			got = "put " + string(op.ValueBytes())
		}
		if key := string(op.KeyBytes()); want[key] != got {
			t.Errorf("%s: %q, want %q", key, got, want[key])
		}
		delete(want, string(op.KeyBytes()))
	}
	if len(want) > 0 {
		t.Errorf("not done: %v", want)
	}
}
