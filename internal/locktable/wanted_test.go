package locktable_test

import (
	"math/rand/v2"
	"testing"
)

// TestWaitedForIsWhatThePairsSay compares the queues with all pairs of requests, after arrivals,
// ends and narrowings. Only an arrival makes a granted request be waited for.
func TestWaitedForIsWhatThePairsSay(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 7))
		o := newOracle(rng.IntN(4))
		waitedFor := map[*oracleRequest]bool{}
		for step := range 60 {
			arrival := false
			switch {
			case len(o.live) == 0 || rng.IntN(2) == 0:
				o.submit("", randomRequest(rng))
				arrival = true
			case rng.IntN(3) == 0:
				if e := o.live[rng.IntN(len(o.live))]; e.r.Granted() && len(e.claims) > 0 {
					o.narrow(e, e.narrower(rng))
				}
			default:
				o.end(o.live[rng.IntN(len(o.live))])
			}
			for _, e := range o.live {
				if !e.r.Granted() {
					continue
				}
				want := o.isWaitedFor(e)
				if got := e.r.WaitedFor(); got != want {
					t.Fatalf("seed %d, step %d: WaitedFor(%v) = %t, want %t", seed, step, e.claims, got, want)
				}
				if known, ok := waitedFor[e]; ok && want && !known && !arrival {
					t.Fatalf("seed %d, step %d: %v is waited for without an arrival", seed, step, e.claims)
				}
				waitedFor[e] = want
			}
		}
	}
}

// isWaitedFor reports whether e is a blocker of a request that waits.
func (o *oracle) isWaitedFor(e *oracleRequest) bool {
	for _, other := range o.live {
		for _, blocker := range o.blockers(other) {
			if blocker == e {
				return true
			}
		}
	}
	return false
}
