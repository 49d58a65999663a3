// Package records keeps the records of WebDAV locks in etcd, for several servers.
//
// A record is at PREFIX/TOKEN, under a lease of its server. So it goes away when the server dies.
package records

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/webdav/internal/davlock"
)

// A Guarder says whether a grant is held, in a transaction of etcd.
type Guarder interface {
	Guard(ctx context.Context, g treelock.Grant[treelock.Path]) (clientv3.Cmp, error)
}

// A Store is a [davlock.Store] in etcd. Start it with [Start].
type Store struct {
	client  *clientv3.Client
	guarder Guarder
	prefix  string
	ttl     time.Duration // how long the records of a server stay after it has died
	changed chan struct{}
	session chan *concurrency.Session // has the one session, or nil, while no call uses it
}

// Start returns the store at a prefix, which follows the records until ctx ends. The records of
// this server stay for ttl after it has died.
func Start(ctx context.Context, client *clientv3.Client, guarder Guarder, prefix string, ttl time.Duration) *Store {
	s := &Store{
		client: client, guarder: guarder, prefix: strings.TrimSuffix(prefix, "/") + "/", ttl: ttl,
		changed: make(chan struct{}, 1), session: make(chan *concurrency.Session, 1),
	}
	s.session <- nil
	go s.watch(ctx)
	return s
}

// watch signals changes. A watch that ends is begun again.
func (s *Store) watch(ctx context.Context) {
	for ctx.Err() == nil {
		for range s.client.Watch(clientv3.WithRequireLeader(ctx), s.prefix, clientv3.WithPrefix()) {
			s.signal()
		}
		s.signal() // a change may have been missed
	}
}

func (s *Store) signal() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Changed implements [davlock.Store].
func (s *Store) Changed() <-chan struct{} { return s.changed }

// lease returns the lease of this server, a new one if the last has ended.
func (s *Store) lease(ctx context.Context) (clientv3.LeaseID, error) {
	var session *concurrency.Session
	select {
	case session = <-s.session:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	defer func() { s.session <- session }()
	if session != nil {
		select {
		case <-session.Done():
			session = nil
		default:
			return session.Lease(), nil
		}
	}
	granted, err := s.client.Grant(ctx, int64(max(s.ttl, time.Second)/time.Second))
	if err != nil {
		return 0, err
	}
	fresh, err := concurrency.NewSession(s.client, concurrency.WithLease(granted.ID))
	if err != nil {
		return 0, err
	}
	session = fresh
	return session.Lease(), nil
}

// Close ends the lease, and so deletes the records of this server.
func (s *Store) Close() {
	if session := <-s.session; session != nil {
		_ = session.Close() // else they go away with the lease
	}
	s.session <- nil
}

// Records implements [davlock.Store]. It reads all records in one call.
func (s *Store) Records(ctx context.Context) ([]davlock.Record, int64, error) {
	answer, err := s.client.Get(ctx, s.prefix, clientv3.WithPrefix())
	if err != nil {
		return nil, 0, fmt.Errorf("read the locks in etcd: %w", err)
	}
	records := make([]davlock.Record, 0, len(answer.Kvs))
	for _, kv := range answer.Kvs {
		var r davlock.Record
		if err := json.Unmarshal(kv.Value, &r); err != nil || s.prefix+r.Token != string(kv.Key) {
			return nil, 0, fmt.Errorf("%.200q in etcd is no record of a lock", kv.Key)
		}
		r.Revision = kv.ModRevision
		records = append(records, r)
	}
	return records, answer.Header.Revision, nil
}

// Add implements [davlock.Store].
func (s *Store) Add(ctx context.Context, r davlock.Record, grant treelock.Grant[treelock.Path]) (int64, error) {
	lease, err := s.lease(ctx)
	if err != nil {
		return 0, fmt.Errorf("get a lease for a lock: %w", err)
	}
	held, err := s.guarder.Guard(ctx, grant)
	if err != nil {
		return 0, err
	}
	value, err := json.Marshal(r)
	if err != nil {
		return 0, err
	}
	answer, err := s.client.Txn(ctx).If(held).Then(clientv3.OpPut(s.prefix+r.Token, string(value), clientv3.WithLease(lease))).Commit()
	if err != nil {
		return 0, fmt.Errorf("write a lock to etcd: %w", err)
	}
	if !answer.Succeeded {
		return 0, treelock.ErrLost
	}
	return answer.Header.Revision, nil
}

// Replace implements [davlock.Store]. The record keeps its lease.
func (s *Store) Replace(ctx context.Context, r davlock.Record) (int64, error) {
	value, err := json.Marshal(r)
	if err != nil {
		return 0, err
	}
	key := s.prefix + r.Token
	answer, err := s.client.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(key), "=", r.Revision)).
		Then(clientv3.OpPut(key, string(value), clientv3.WithIgnoreLease())).Commit()
	if err != nil {
		return 0, fmt.Errorf("write a lock to etcd: %w", err)
	}
	if !answer.Succeeded {
		return 0, davlock.ErrNoLock
	}
	return answer.Header.Revision, nil
}

// Delete implements [davlock.Store].
func (s *Store) Delete(ctx context.Context, token string) (int64, error) {
	answer, err := s.client.Delete(ctx, s.prefix+token)
	if err != nil {
		return 0, fmt.Errorf("delete a lock in etcd: %w", err)
	}
	return answer.Header.Revision, nil
}
