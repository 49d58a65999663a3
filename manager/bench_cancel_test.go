package manager

import (
	"fmt"
	"testing"

	"github.com/treelock/treelock"
)

// BenchmarkCancel is what the end of a waiting request costs the manager goroutine, with so many
// others that wait for the same node: the arrival and the withdrawal of a ticket, and those of an
// Acquire whose context ends, which finds its blockers. The second may cost at most four
// times as much.
func BenchmarkCancel(b *testing.B) {
	for _, waiters := range []int{0, 1000, 100_000} {
		for _, mode := range []callMode{modeTicket, modeWait} {
			how := map[callMode]string{modeTicket: "withdraw", modeWait: "cancel"}[mode]
			b.Run(fmt.Sprintf("waiters=%d/how=%s", waiters, how), func(b *testing.B) {
				m := newManager[path](b.Context(), nil)
				l := newLoop(m)
				req := treelock.Write("/a/b/c/d")
				submit := func(mode callMode) *call[path] {
					c, err := m.newCall(&req, mode)
					if err != nil {
						b.Fatal(err)
					}
					if mode == modeTicket {
						c.ticket = &Ticket[path]{m: m, granted: make(chan treelock.Grant[path], 1)}
					}
					l.dispatch(message[path]{kind: kindAcquire, call: c})
					if len(c.replies) > 0 {
						<-c.replies
					}
					return c
				}
				for range waiters + 1 {
					submit(modeWait)
				}
				b.ReportAllocs()
				for b.Loop() {
					c := submit(mode)
					if mode == modeTicket {
						l.dispatch(message[path]{kind: kindWithdraw, call: c})
					} else {
						l.dispatch(message[path]{kind: kindCancel, call: c})
					}
					<-c.replies
					m.result(c)
				}
			})
		}
	}
}
