package cluster

import (
	"context"
	"errors"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// maxCauseLen is how many bytes of the cause of a revocation its owner learns.
const maxCauseLen = 1 << 10

// Revoke is [journal.Journal.Revoke].
func (l *log) Revoke(e *entry, cause error) {
	m := e.Journal.(*member)
	key := requestKey{lease: m.batch.lease, n: m.batch.n, kind: keyRevocation, index: m.index}
	text := cause.Error()
	l.revoke(key, int64(e.Token>>16), text[:min(len(text), maxCauseLen)])
}

// askOwners lets the log ask the owners of requests to end them, by a goroutine for each. Such a
// goroutine is of no session, so it has the life of the manager. wait waits for all of them, once
// the manager has stopped.
func (m *Manager) askOwners() (wait func()) {
	latest := make(chan struct{}) // of the latest goroutine; owned by the manager goroutine
	close(latest)
	m.log.revoke = func(key requestKey, revision int64, cause string) {
		before, ended := latest, make(chan struct{})
		latest = ended
		go func() {
			m.askOwner(key, revision, cause)
			<-before
			close(ended)
		}()
	}
	return func() { <-latest }
}

// askOwner asks the session of a request to end it. The key is written only while the batch is
// there, and ends with the lease of its session.
func (m *Manager) askOwner(key requestKey, revision int64, cause string) {
	ctx, cancel := context.WithTimeout(m.life, m.ttl)
	defer cancel()
	batch := m.keys.batch(key.lease, key.n)
	same := clientv3.Compare(clientv3.CreateRevision(batch), "=", revision)
	put := clientv3.OpPut(m.keys.text(key), cause, clientv3.WithLease(clientv3.LeaseID(key.lease)))
	_, err := m.doIf(ctx, same, put)
	ended := errors.Is(err, rpctypes.ErrLeaseNotFound)
	if err != nil && !ended && m.life.Err() == nil {
		m.report("the owner of a request could not be asked to end it", err)
	}
}
