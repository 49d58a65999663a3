package cluster

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A fixedKV answers each Get with a revision.
type fixedKV struct {
	clientv3.KV
	revision int64
}

func (kv fixedKV) Get(context.Context, string, ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	return &clientv3.GetResponse{Header: &pb.ResponseHeader{Revision: kv.revision}}, nil
}

// A mirror whose session is lost is empty. What was looked at after that says nothing of what other
// processes hold, also if the next session has begun by then.
func TestAnswerOfALostSessionDoesNotCount(t *testing.T) {
	for _, again := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l := newLog("a")
			m := &Manager{keys: keys{"/locks"}, log: l, client: &clientv3.Client{KV: fixedKV{revision: 7}}}
			m.Manager = manager.Start(t.Context(), manager.WithJournal(l))
			<-l.started
			begin := func(lease int64) {
				s := l.begin(lease, time.Now().Add(time.Hour))
				l.conn = &conn{Manager: m, session: s}
			}
			list := func() {
				batch := change{key: requestKey{lease: 9, n: 1, kind: keyBatch}, revision: 5}
				batch.name, batch.requests = "b", []proposed{{claims: write("/a")}}
				l.list(7, []change{batch})
			}
			l.mirror.Do(func() { begin(1); list() })
			tries := 0
			err := m.whileFresh(context.Background(), "check", func() (err error) {
				if tries++; tries > 1 {
					return m.Manager.Check(context.Background(), treelock.Write("/a"))
				}
				l.mirror.Do(func() { l.lose(errExpired) })
				if again {
					l.mirror.Do(func() { begin(2) })
				}
				err = m.Manager.Check(context.Background(), treelock.Write("/a"))
				if again {
					l.mirror.Do(list)
				}
				return err
			})
			if want := map[bool]error{false: errNoSession, true: treelock.ErrConflict}[again]; !errors.Is(err, want) {
				t.Errorf("the next session has begun: %t; the answer is %v, want %v", again, err, want)
			}
		})
	}
}
