package cluster

import (
	"context"
	"slices"
	"time"
)

// While etcd is full (NOSPACE) it refuses each transaction that contains a Put. It still takes
// deletions, and renews leases. So new requests wait for their places, but what has ended must free
// what it held: cleanUp deletes it. The transaction that is under way stays the next one, and is
// sent again.

// leftovers are the keys of what has ended.
type leftovers struct {
	batches []int64
	guards  []*request
}

// leftovers returns what has ended and is in the log, as much as fits into a transaction. t is the
// transaction under way.
func (l *log) leftovers(t transaction) (over leftovers) {
	over.batches = slices.Clone(t.deleted)
	guards := slices.Clone(t.unguarded)
	for _, b := range l.session.changed {
		if b.open == 0 && b.n < t.n && len(over.batches) < maxAmended+maxDeleted {
			over.batches = append(over.batches, b.n)
		}
		guards = append(guards, b.unguarded...)
	}
	over.guards = guards[:min(len(guards), maxGuards)]
	return over
}

// cleanUpTime is how long t may wait for a clean-up.
const cleanUpTime = 2 * time.Second

// cleanUp deletes what has ended, while t cannot be applied. It is applied before t or never: later
// the control key has another number.
func (c *conn) cleanUp(ctx context.Context, t transaction) error {
	var over leftovers
	c.do(func() { over = c.log.leftovers(t) })
	deletions := c.ops(transaction{lease: t.lease, deleted: over.batches, unguarded: over.guards})[1:]
	if len(deletions) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, cleanUpTime)
	defer cancel()
	resp, err := c.sendOnce(ctx, t, deletions)
	if err == nil && resp.Succeeded {
		// The next transactions delete them again, as the one under way may write amendments of
		// theirs.
		c.do(func() { c.log.endAll(over.guards) })
	}
	return err
}
