package cluster

import (
	"context"
	"encoding/json"
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// meta is the value of ns/meta.
type meta struct {
	Format  int    `json:"format"`
	Cluster string `json:"cluster"` // the id of the etcd cluster
}

// checkFormat writes ns/meta if there is none, and compares it otherwise. It also finds out whether
// the server is too old, and whether the user may read and write below the prefix: etcd checks the
// permissions of operations in a branch that is not taken. It returns the header of the first
// answer, and the version of the format.
func (m *Manager) checkFormat(ctx context.Context) (header *pb.ResponseHeader, version int, err error) {
	read, err := m.get(ctx, m.keys.ns+"/", clientv3.WithPrefix(), clientv3.WithLimit(1))
	if err != nil {
		return nil, 0, fmt.Errorf("read below the prefix: %w", err)
	}
	if err := m.checkVersion(ctx); err != nil {
		return nil, 0, err
	}
	want := meta{format, fmt.Sprintf("%016x", read.Header.ClusterId)}
	value, err := json.Marshal(want)
	if err != nil {
		return nil, 0, err
	}
	key := m.keys.meta()
	never := clientv3.Compare(clientv3.CreateRevision(key), "<", 0)
	if _, err := m.doIf(ctx, never, clientv3.OpDelete(m.keys.ns+"/", clientv3.WithPrefix())); err != nil {
		return nil, 0, fmt.Errorf("write below the prefix: %w", err)
	}
	absent := clientv3.Compare(clientv3.CreateRevision(key), "=", 0)
	resp, err := m.doIf(ctx, absent, clientv3.OpPut(key, string(value)), clientv3.OpGet(key))
	if err != nil {
		return nil, 0, fmt.Errorf("write %s: %w", key, err)
	}
	if resp.Succeeded {
		return read.Header, format, nil
	}
	version, err = want.compare(key, resp.Responses[0].GetResponseRange().Kvs[0].Value)
	return read.Header, version, err
}

// compare returns the version of the format that value has, which was found at key. It returns an
// error if this program does not know that, or if the value is that of another cluster.
func (want meta) compare(key string, value []byte) (version int, err error) {
	var have meta
	if err := json.Unmarshal(value, &have); err != nil || have.Format <= 0 {
		return 0, fmt.Errorf("the key %s has another program's value", key)
	}
	if have.Format > want.Format {
		return 0, fmt.Errorf("the format of the prefix is %d, and this program knows up to %d", have.Format, want.Format)
	}
	if have.Cluster != want.Cluster {
		return 0, fmt.Errorf("the prefix was made in cluster %s, and this is cluster %s: was it restored from a backup?",
			have.Cluster, want.Cluster)
	}
	return have.Format, nil
}
