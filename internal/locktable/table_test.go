package locktable_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/waitqueue"
)

// submit submits req, known as who.
func submit(tb *table, who string, req treelock.Request[treelock.Path]) *request {
	return tb.Submit(who, claimsOf(req))
}

// checkSound fails the test if an invariant does not hold.
func checkSound(t *testing.T, tb interface{ Check() error }) {
	t.Helper()
	if err := tb.Check(); err != nil {
		t.Fatal(err)
	}
}

// TestTableForgetsReleasedPaths is I8 over a long time: a program that comes to ever new paths.
func TestTableForgetsReleasedPaths(t *testing.T) {
	const paths, maxIdle, maxLive = 1_000_000, 100, 50
	type number = locktable.Request[int, int]
	tb := locktable.New[int, int](maxIdle)
	live := make([]*number, maxLive)
	claims := []locktable.Claim[int]{{Mode: waitqueue.TW, Lineage: make([]int, 2)}}
	for i := 1; i <= paths; i++ {
		slot := &live[i%maxLive]
		if *slot != nil {
			tb.End(*slot)
		}
		claims[0].Lineage[0] = i // below the root, which is 0
		*slot = tb.Submit(i, claims)
		if most := maxIdle + maxLive + 1; tb.Nodes() > most {
			t.Fatalf("Nodes() = %d after %d paths, want %d at most", tb.Nodes(), i, most)
		}
	}
	for _, r := range live {
		tb.End(r)
	}
	if tb.Nodes() > maxIdle || tb.Live() != 0 || tb.Waiting() != 0 {
		t.Errorf("Nodes() = %d, Live() = %d, Waiting() = %d, want %d at most, 0, 0", tb.Nodes(), tb.Live(), tb.Waiting(), maxIdle)
	}
	checkSound(t, tb)
}

// heap returns how much is in use.
func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first found in finalizers and pools
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// checkStorage checks that fill makes tb large and that empty gives the storage back.
func checkStorage(t *testing.T, tb *table, fill, empty func()) {
	t.Helper()
	const atLeast, rest = 32 << 20, 4 << 20
	start := heap()
	fill()
	if got := heap() - start; got < atLeast {
		t.Errorf("the live requests take %d bytes, want %d at least: else the test tests nothing", got, atLeast)
	}
	empty()
	if got := heap() - start; got > rest {
		t.Errorf("after the release of all %d bytes are still in use, want %d at most", got, rest)
	}
	if tb.Live() != 0 {
		t.Errorf("Live() = %d after the release of all, want 0", tb.Live())
	}
	checkSound(t, tb)
}

func TestStorageOfHoldersIsLetGo(t *testing.T) {
	tb := locktable.New[treelock.Path, string](100)
	var live []*request
	checkStorage(t, tb, func() {
		for i := range 200_000 {
			live = append(live, submit(tb, "holder", treelock.Write(treelock.Path(fmt.Sprintf("/a/%d/%d", i%1000, i)))))
		}
	}, func() {
		for _, r := range live {
			tb.End(r)
		}
		live = nil
	})
}

// TestStorageOfThoseAdmittedTogetherIsLetGo has one release that grants all others.
func TestStorageOfThoseAdmittedTogetherIsLetGo(t *testing.T) {
	tb := locktable.New[treelock.Path, string](100)
	var writer *request
	var waiting []*request
	checkStorage(t, tb, func() {
		writer = submit(tb, "writer", treelock.Write("/a"))
		for i := range 200_000 {
			waiting = append(waiting, submit(tb, "reader", treelock.Read(treelock.Path(fmt.Sprintf("/a/%d", i)))))
		}
	}, func() {
		if got := len(tb.End(writer)); got != len(waiting) {
			t.Errorf("End(writer) grants %d requests, want %d", got, len(waiting))
		}
		for _, r := range waiting {
			tb.End(r)
		}
		waiting = nil
	})
}

func TestSequenceNumbersAreNeverReused(t *testing.T) {
	tb := locktable.New[treelock.Path, string](4)
	rng := rand.New(rand.NewPCG(1, 2))
	var live []*request
	recycled, last := 0, uint64(0)
	dead := map[*request]uint64{} // by storage, the number of its latest dead request
	for range 10_000 {
		if len(live) > 0 && rng.IntN(2) == 0 {
			i := rng.IntN(len(live))
			r := live[i]
			live = slices.Delete(live, i, i+1)
			dead[r] = r.Seq()
			if tb.End(r); r.Seq() != 0 || r.Granted() || r.Waiting() {
				t.Fatalf("after its release request %d has Seq() = %d, Granted() = %t, Waiting() = %t", dead[r], r.Seq(), r.Granted(), r.Waiting())
			}
			continue
		}
		r := submit(tb, "reader", treelock.Read("/a"))
		if old, ok := dead[r]; ok {
			recycled++
			if r.Seq() == old {
				t.Fatalf("recycled storage has the number %d of its dead request", old)
			}
		}
		if r.Seq() != last+1 {
			t.Fatalf("Seq() = %d after %d", r.Seq(), last)
		}
		live, last = append(live, r), r.Seq()
	}
	if recycled == 0 {
		t.Error("no storage was recycled: the test tests nothing")
	}
}

// TestSameCallsGiveTheSameGrants plays random games twice and compares who was granted, in which order.
func TestSameCallsGiveTheSameGrants(t *testing.T) {
	for seed := range uint64(100) {
		first := playRandom(seed)
		if len(first) == 0 {
			t.Fatalf("seed %d: nothing was granted", seed)
		}
		if diff := cmp.Diff(first, playRandom(seed)); diff != "" {
			t.Fatalf("seed %d: the second game differs, -first +second:\n%s", seed, diff)
		}
	}
}

// playRandom plays a random game and returns all grants, in order.
func playRandom(seed uint64) (grants []string) {
	rng := rand.New(rand.NewPCG(seed, 3))
	tb := locktable.New[treelock.Path, string](rng.IntN(6))
	var live []*request
	for step := range 200 {
		i := rng.IntN(len(live) + 1)
		switch {
		case i == len(live) || rng.IntN(2) == 0 && len(live) < 20:
			r := submit(tb, fmt.Sprint("r", step), randomRequest(rng))
			if live = append(live, r); r.Granted() {
				grants = append(grants, r.Who)
			}
		case live[i].Granted() && rng.IntN(3) == 0:
			granted, _ := tb.Narrow(live[i], claimsOf(randomRequest(rng)))
			grants = append(grants, names(granted)...)
		default:
			grants = append(grants, names(tb.End(live[i]))...)
			live = slices.Delete(live, i, i+1)
		}
	}
	return grants
}

func TestWaitersRunByArrival(t *testing.T) {
	tb := locktable.New[treelock.Path, string](4)
	submit(tb, "holder", treelock.Write("/"))
	for i := range 6 {
		submit(tb, fmt.Sprint("w", i), treelock.Write(treelock.Path(fmt.Sprint("/", i%3))))
	}
	var got []string
	for r := range tb.Waiters() {
		if got = append(got, r.Who); len(got)%2 == 0 {
			tb.End(r)
		}
	}
	if diff := cmp.Diff([]string{"w0", "w1", "w2", "w3", "w4", "w5"}, got); diff != "" {
		t.Errorf("Waiters(): -want +got:\n%s", diff)
	}
	for r := range tb.Waiters() {
		if r.Who != "w0" {
			t.Errorf("Waiters() begin with %s, want w0", r.Who)
		}
		break
	}
	if got := tb.Waiting(); got != 3 {
		t.Errorf("Waiting() = %d after three were withdrawn, want 3", got)
	}
	checkSound(t, tb)
}

func TestStepsOutOfOrderArePanics(t *testing.T) {
	tb := locktable.New[treelock.Path, string](4)
	submit(tb, "holder", treelock.Write("/"))
	waiter := submit(tb, "waiter", treelock.Write("/"))
	ended := submit(tb, "ended", treelock.Write("/"))
	tb.End(ended)
	for name, step := range map[string]func(){
		"Narrow of a waiter":        func() { tb.Narrow(waiter, nil) },
		"End of one that has ended": func() { tb.End(ended) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			step()
		}()
	}
	checkSound(t, tb)
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	tb := locktable.New[treelock.Path, string](16)
	claims := claimsOf(treelock.Read("/a/b/c").Write("/a/b/d", "/x"))
	for name, round := range map[string]func(){
		"Submit and Release": func() { tb.End(tb.Submit("holder", claims)) },
		"Submit, Withdraw and Release": func() {
			holder := tb.Submit("holder", claims)
			tb.End(tb.Submit("waiter", claims))
			tb.End(holder)
		},
		"Submit and hand over": func() {
			holder := tb.Submit("holder", claims)
			tb.Submit("waiter", claims)
			tb.End(tb.End(holder)[0])
		},
	} {
		if got := testing.AllocsPerRun(100, round); got != 0 {
			t.Errorf("%s: %v allocations, want 0", name, got)
		}
	}
}
