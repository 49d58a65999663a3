package checkup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/treelock/treelock/cmd/treelock/internal/where"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A prefix has the checks of the keys of the locks.
type prefix struct {
	*Report
	s      *where.Settings
	client *clientv3.Client
}

// within is the context of one call.
func (p *prefix) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, p.s.Connect)
}

// permissions checks that the user may read and write below the prefix, as the start of a manager
// does: etcd checks the permissions of a branch that is not taken.
func (p *prefix) permissions(ctx context.Context) bool {
	below := p.s.Prefix + "/"
	read, cancel := p.within(ctx)
	defer cancel()
	if _, err := p.client.Get(read, below, clientv3.WithPrefix(), clientv3.WithLimit(1)); err != nil {
		p.add("permission", Wrong, "cannot read below %s: %s", below, reason(err, p.s.Connect))
		return false
	}
	write, cancel := p.within(ctx)
	defer cancel()
	never := clientv3.Compare(clientv3.CreateRevision(p.meta()), "<", 0)
	if _, err := p.client.Txn(write).If(never).Then(clientv3.OpDelete(below, clientv3.WithPrefix())).Commit(); err != nil {
		p.add("permission", Wrong, "cannot write below %s: %s", below, reason(err, p.s.Connect))
		return false
	}
	p.add("permission", OK, "can read and write below %s", below)
	return true
}

func (p *prefix) meta() string { return p.s.Prefix + "/meta" }

// latestFormat is the latest format of a prefix that package cluster knows. A test compares.
const latestFormat = 2

// format checks the version of the format, as the start of a manager does. It does not write it.
func (p *prefix) format(ctx context.Context) {
	ctx, cancel := p.within(ctx)
	defer cancel()
	resp, err := p.client.Get(ctx, p.meta())
	if err != nil {
		p.add("format", Wrong, "cannot read %s: %s", p.meta(), reason(err, p.s.Connect))
		return
	}
	if len(resp.Kvs) == 0 {
		p.add("format", OK, "the prefix %s is new", p.s.Prefix)
		return
	}
	var have struct {
		Format  int
		Cluster string
	}
	err = json.Unmarshal(resp.Kvs[0].Value, &have)
	cluster := fmt.Sprintf("%016x", resp.Header.ClusterId)
	switch {
	case err != nil || have.Format <= 0:
		p.add("format", Wrong, "the key %s has another program's value", p.meta())
	case have.Format > latestFormat:
		p.add("format", Wrong, "the format of the prefix %s is %d, and this program knows up to %d", p.s.Prefix, have.Format, latestFormat)
	case have.Cluster != cluster:
		p.add("format", Wrong, "the prefix %s was made in cluster %s, and this is cluster %s: was it restored from a backup?",
			p.s.Prefix, have.Cluster, cluster)
	default:
		p.add("format", OK, "the format of the prefix %s is %d", p.s.Prefix, have.Format)
	}
}

// samples is how many calls a latency is the median of.
const samples = 5

// latency measures a read and a write. The write deletes a key that does not exist: etcd orders it
// and saves it as it does any other, and nothing changes.
func (p *prefix) latency(ctx context.Context) {
	p.measure(ctx, "read", func(ctx context.Context) error {
		_, err := p.client.Get(ctx, p.meta())
		return err
	})
	p.measure(ctx, "write", func(ctx context.Context) error {
		_, err := p.client.Delete(ctx, p.s.Prefix+"/doctor")
		return err
	})
}

// measure says how long a call takes, beside the time to live: a lease is renewed every third of
// it.
func (p *prefix) measure(ctx context.Context, what string, call func(context.Context) error) {
	var took []time.Duration
	for range samples {
		ctx, cancel := p.within(ctx)
		began := time.Now()
		err := call(ctx)
		took = append(took, time.Since(began))
		if cancel(); err != nil {
			p.add("latency", Wrong, "a %s fails: %s", what, reason(err, p.s.Connect))
			return
		}
	}
	slices.Sort(took)
	p.add("latency", p.judge(took[samples/2]), "a %s takes %v, at most %v in %d calls; leases live %v",
		what, round(took[samples/2]), round(took[samples-1]), samples, p.s.TTL)
}

func (p *prefix) judge(median time.Duration) State {
	switch {
	case median > p.s.TTL/3:
		return Wrong
	case median > p.s.TTL/20:
		return Warn
	}
	return OK
}

// round leaves three digits.
func round(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}

// manyRevisions is how many old revisions are too many, if etcd has kept them all.
const manyRevisions = 100_000

// compaction says whether etcd has removed the revisions that lie many back. It does not tell
// whether it does so by itself.
func (p *prefix) compaction(ctx context.Context, many int64) {
	ctx, cancel := p.within(ctx)
	defer cancel()
	now, err := p.client.Get(ctx, p.meta())
	if err != nil {
		p.add("compaction", Wrong, "cannot read %s: %s", p.meta(), reason(err, p.s.Connect))
		return
	}
	revision := now.Header.Revision
	if revision <= many {
		p.add("compaction", OK, "the revision is %d, so few can be kept; etcd does not tell whether it compacts them by itself", revision)
		return
	}
	_, err = p.client.Get(ctx, p.meta(), clientv3.WithRev(revision-many))
	switch {
	case errors.Is(err, rpctypes.ErrCompacted):
		p.add("compaction", OK, "of %d revisions fewer than %d are kept", revision, many)
	case err != nil:
		p.add("compaction", Wrong, "cannot read %s: %s", p.meta(), reason(err, p.s.Connect))
	default:
		p.add("compaction", Warn, "of %d revisions more than %d are kept: run etcd with --auto-compaction-retention=1m", revision, many)
	}
}
