package cluster

import (
	"context"
	"time"

	"github.com/treelock/treelock/internal/journal"
	"github.com/treelock/treelock/manager"

	"github.com/treelock/treelock"
)

// A memory is etcd in memory, as far as a log needs it, without any failure: a goroutine that puts
// the transactions of all processes into one order, and sends each to all of them.
type memory struct {
	sent chan sentTransaction
	ends []chan<- delivered
	end  <-chan struct{}
}

type sentTransaction struct {
	transaction
	revokes *requestKey // in place of a transaction
	cause   string
}

// A delivered is a revision with its changes.
type delivered struct {
	revision int64
	of       transaction
	changes  []change
}

// startMemory starts n managers that share a log in memory. They live as long as ctx.
func startMemory(ctx context.Context, n int, opts ...manager.Option) []*manager.Manager[treelock.Path] {
	mem := &memory{sent: make(chan sentTransaction), end: ctx.Done()}
	var managers []*manager.Manager[treelock.Path]
	for i := range n {
		l := newLog(string(rune('a' + i)))
		events := make(chan delivered)
		mem.ends = append(mem.ends, events)
		l.revoke = func(key requestKey, _ int64, cause string) {
			go func() {
				select {
				case mem.sent <- sentTransaction{revokes: &key, cause: cause}:
				case <-mem.end:
				}
			}()
		}
		m := manager.Start(ctx, append(opts, manager.WithJournal(l))...)
		<-l.started
		l.mirror.Do(func() { l.begin(int64(i+1), time.Now().Add(1000*time.Hour)).dated = i%2 == 0 })
		go mem.commitAll(l)
		go mem.watch(l, int64(i+1), events)
		managers = append(managers, m)
	}
	go mem.order()
	return managers
}

// commitAll passes on the transactions of a log.
func (m *memory) commitAll(l *log) {
	for {
		var t transaction
		select {
		case t = <-l.commits:
		case <-l.linger:
			l.mirror.Do(func() { l.urgent = true })
			continue
		case <-m.end:
			return
		}
		select {
		case m.sent <- sentTransaction{transaction: t}:
		case <-m.end:
			return
		}
	}
}

// order gives each transaction a revision, and sends it to all processes.
func (m *memory) order() {
	for revision := int64(1); ; revision++ {
		select {
		case t := <-m.sent:
			for _, events := range m.ends {
				select {
				case events <- delivered{revision, t.transaction, t.changes(revision)}:
				case <-m.end:
					return
				}
			}
		case <-m.end:
			return
		}
	}
}

// watch applies what is delivered to a process, the answer to its own transaction included.
func (m *memory) watch(l *log, lease int64, events <-chan delivered) {
	for {
		select {
		case d := <-events:
			l.mirror.Do(func() {
				if d.of.lease == lease {
					l.answered(d.of, true, d.revision, 0)
				}
				l.apply(d.revision, d.changes)
			})
		case <-m.end:
			return
		}
	}
}

// changes returns what a process sees of a transaction: the values are written and parsed.
func (t *sentTransaction) changes(revision int64) (changes []change) {
	if t.revokes != nil {
		return []change{{key: *t.revokes, revision: revision, cause: t.cause}}
	}
	key := requestKey{lease: t.lease, n: t.n, kind: keyBatch}
	if t.batch != nil {
		c := change{key: key, revision: revision}
		c.written, c.requests, c.bad = parseBatch(t.batch)
		changes = append(changes, c)
	}
	for n, value := range t.amendments {
		c := change{key: requestKey{lease: t.lease, n: n, kind: keyAmendment}, revision: revision}
		c.amendment, c.bad = parseAmendment(value)
		changes = append(changes, c)
	}
	for _, n := range t.deleted {
		key.n = n
		changes = append(changes, change{key: key, revision: revision, deleted: true})
	}
	return changes
}

var _ journal.Journal[treelock.Path] = (*log)(nil)
