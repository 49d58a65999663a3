package soak_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
	"github.com/treelock/treelock/manager"
)

// A menu is the requests that are made in a measurement of fairness, and which of them conflict: asked of the model
// once and for all, so that all pairs of very many grants can be judged.
type menu struct {
	requests []treelock.Request[treelock.Path]
	conflict [][]bool
}

func newMenu(rng *rand.Rand, size int) *menu {
	nodes := newShadow(2, 2, 2).nodes
	m := &menu{}
	for range size {
		var req treelock.Request[treelock.Path]
		for range 1 + rng.IntN(3) {
			node := nodes[max(rng.IntN(len(nodes)), rng.IntN(len(nodes)))]
			add := []func(...treelock.Path) treelock.Request[treelock.Path]{req.Read, req.Write, req.ReadNode, req.WriteNode}
			req = add[rng.IntN(len(add))](node)
		}
		m.requests = append(m.requests, req)
	}
	for _, a := range m.requests {
		row := make([]bool, size)
		for j, b := range m.requests {
			row[j] = model.Conflict(a, b)
		}
		m.conflict = append(m.conflict, row)
	}
	return m
}

// A service is one request of the menu that was granted. The stamps are from one clock that all clients
// share, and which ticks once for each stamp.
type service struct {
	dish    int    // of the menu
	token   uint64 // tells the order of arrival
	arrived int64  // stamp after it has arrived
	granted int64  // stamp right after the grant
	release int64  // stamp right before the release
}

// TestNobodyIsOvertaken measures fairness under load: of two conflicting requests that were granted, the one that
// arrived first has released before the other one is granted (I1, I2). Not nearly always: always. And who has
// arrived waits for one grant at most of each other client, however many requests they all make.
func TestNobodyIsOvertaken(t *testing.T) {
	const clients = 16
	rounds := 600
	if testing.Short() {
		rounds = 100
	}
	menu := newMenu(rand.New(rand.NewPCG(15, 16)), 32)
	m := manager.Start(t.Context())
	var clock atomic.Int64
	served := make([][]service, clients)
	var all sync.WaitGroup
	for i := range served {
		all.Go(func() { served[i] = dine(t, m, menu, &clock, rand.New(rand.NewPCG(uint64(i), 17)), rounds) })
	}
	all.Wait()
	services := slices.Concat(served...)
	slices.SortFunc(services, func(a, b service) int { return int(a.token) - int(b.token) })
	pairs, overtakes := menu.overtakes(services)
	longest, met := menu.longestWait(services)
	t.Logf("%d grants, %d conflicting pairs, %d overtakes; the longest wait is for %d conflicting grants, all are for %d",
		len(services), pairs, overtakes, longest, met)
	if overtakes != 0 {
		t.Errorf("I2: %d overtakes in %d conflicting pairs of grants, want 0", overtakes, pairs)
	}
	if longest > clients-1 {
		t.Errorf("I2: the longest wait is for %d conflicting grants of %d other clients, want one of each at most", longest, clients-1)
	}
	if len(services) < clients*rounds/2 || met == 0 {
		t.Errorf("%d grants with %d conflicting ones while they waited, want far more: the test tests nothing", len(services), met)
	}
}

// dine makes so many requests of the menu and stamps them.
func dine(t *testing.T, m *manager.Manager[treelock.Path], menu *menu, clock *atomic.Int64, rng *rand.Rand, rounds int) (services []service) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range rounds {
		s := service{dish: rng.IntN(len(menu.requests))}
		g, arrived, err := order(ctx, m, menu.requests[s.dish], clock, rng.IntN(2) == 0)
		if err != nil {
			t.Errorf("a request fails with %v, want a grant", err)
			return services
		}
		s.arrived, s.granted, s.token = arrived, clock.Add(1), g.Token()
		runtime.Gosched() // so that others come and wait
		s.release = clock.Add(1)
		g.Release()
		services = append(services, s)
	}
	return services
}

// order gets a grant, by Submit or by Acquire, and returns a stamp from when the request had arrived. For a request of
// Acquire that is known only once it is granted.
func order(ctx context.Context, m *manager.Manager[treelock.Path], req treelock.Request[treelock.Path], clock *atomic.Int64, submit bool) (g manager.Grant[treelock.Path], arrived int64, err error) {
	if !submit {
		g, err = m.Acquire(ctx, req)
		return g, clock.Add(1), err
	}
	ticket, err := m.Submit(ctx, req)
	if err != nil {
		return g, 0, err
	}
	arrived = clock.Add(1)
	select {
	case g = <-ticket.Granted():
		return g, arrived, nil
	case <-ctx.Done():
		ticket.Withdraw()
		return g, arrived, ctx.Err()
	}
}

// overtakes counts the conflicting pairs among services, which are sorted by token, and those in which the later
// request was granted before the earlier one was released.
func (m *menu) overtakes(services []service) (pairs, overtakes int) {
	earlier := make([]int, len(m.requests))    // how many were asked for each dish
	released := make([]int64, len(m.requests)) // and when the last of them was released
	for i, s := range services {
		for dish, conflict := range m.conflict[s.dish] {
			if !conflict {
				continue
			}
			pairs += earlier[dish]
			if released[dish] > s.granted {
				for _, e := range services[:i] {
					if e.dish == dish && e.release > s.granted {
						overtakes++
					}
				}
			}
		}
		earlier[s.dish]++
		released[s.dish] = max(released[s.dish], s.release)
	}
	return pairs, overtakes
}

// longestWait returns how many conflicting grants at most happened between the arrival of a service and its grant, and
// how many did in all such waits together.
func (m *menu) longestWait(services []service) (longest, total int) {
	grants := make([][]int64, len(m.requests)) // the stamps for each dish
	for _, s := range services {
		grants[s.dish] = append(grants[s.dish], s.granted)
	}
	for _, stamps := range grants {
		slices.Sort(stamps)
	}
	for _, s := range services {
		wait := 0
		for dish, conflict := range m.conflict[s.dish] {
			if conflict {
				first, _ := slices.BinarySearch(grants[dish], s.arrived)
				end, _ := slices.BinarySearch(grants[dish], s.granted)
				wait += end - first
			}
		}
		longest, total = max(longest, wait), total+wait
	}
	return longest, total
}
