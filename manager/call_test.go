package manager

import (
	"math"
	"slices"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
)

// TestLargeCallIsNotReused checks that its buffers do not stay in use for small requests.
func TestLargeCallIsNotReused(t *testing.T) {
	l := startLoop(t)
	wide, deep := l.m.emptyCall(), l.m.emptyCall()
	wide.claims, deep.lineage = make([]locktable.Claim[path], maxKeptClaims+1), make([]path, maxKeptLineage+1)
	l.m.recycle(wide)
	l.m.recycle(deep)
	for range 2 {
		if c := l.m.emptyCall(); c == wide || c == deep {
			t.Errorf("a call with room for %d claims and %d nodes is kept", cap(c.claims), cap(c.lineage))
		}
	}
}

// TestEveryReplySaysWhetherToYield includes refusals. Otherwise a client that is refused again and
// again would go on yielding to goroutines that compute.
func TestEveryReplySaysWhetherToYield(t *testing.T) {
	for _, pays := range []bool{true, false} {
		l := startLoop(t, WithMaxWaiting(0))
		if pays {
			l.yielder = *fastYielder(t)
		}
		call := func(want verdict) {
			t.Helper()
			req := treelock.Write("/a")
			c, err := l.m.newCall(&req, modeNoWait)
			if err != nil {
				t.Fatal(err)
			}
			c.yieldPays = !pays
			l.dispatch(message[path]{kind: kindAcquire, call: c})
			if v := <-c.replies; v != want || c.yieldPays != pays {
				t.Errorf("the reply is %d, and to yield: %t, want %d and %t", v, c.yieldPays, want, pays)
			}
		}
		call(verdictDone)
		call(verdictRefused)
		l.dispatch(message[path]{kind: kindDrain})
		call(verdictRefused)
	}
}

// TestClientThatExpectsToWaitGetsOneReply compares it with a client that gets verdictMustWait
// first.
func TestClientThatExpectsToWaitGetsOneReply(t *testing.T) {
	for _, expectWait := range []bool{false, true} {
		l := startLoop(t)
		holder := takeGrant(t, arrives(t, l, treelock.Write("/a"), modeWait))
		req := treelock.Write("/a")
		c, _ := l.m.newCall(&req, modeWait)
		c.expectWait = expectWait
		l.dispatch(message[path]{kind: kindAcquire, call: c})
		releases(l, holder.req, holder.seq)
		var got []verdict
		for len(c.replies) > 0 {
			got = append(got, <-c.replies)
		}
		want := []verdict{verdictMustWait, verdictDone}
		if expectWait {
			want = want[1:]
		}
		if !slices.Equal(got, want) || !c.waited {
			t.Errorf("expectWait=%t: the replies are %v, waited=%t, want %v and true", expectWait, got, c.waited, want)
		}
	}
}

// TestRoomForClientsHasADefaultAndABound checks the capacity of the inbox.
func TestRoomForClientsHasADefaultAndABound(t *testing.T) {
	for n, want := range map[int]int{
		0: defaultClients, -1: defaultClients, defaultClients: defaultClients, 1: 1,
		1 << 21: maxClients, math.MaxInt: maxClients,
	} {
		m := newManager[path](t.Context(), []Option{WithClients(n)})
		if got := cap(m.inbox); got != messagesPerClient*want {
			t.Errorf("WithClients(%d) has room for %d messages, want %d", n, got, messagesPerClient*want)
		}
	}
}
