package cluster

import (
	"context"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// A stream carries renewals of the lease, one after the other. With a password it stays open
// between them, as etcd checks that for each new stream, which takes it long. Without one each
// renewal has a new stream, which may go to another server.
type stream struct {
	pb.Lease_LeaseKeepAliveClient
	end context.CancelFunc
}

// keepAlive sends one renewal and receives the answer. It does not use the stream of the client,
// which says neither when a renewal was sent nor in which term it was answered. A stream on which
// an answer may still come is not used again: it would count for a later renewal.
func (c *conn) keepAlive(ctx context.Context) (kept *pb.LeaseKeepAliveResponse, sent time.Time, err error) {
	var s stream
	var open context.Context // set for a new stream
	select {
	case s = <-c.streams:
	default:
		open, s.end = context.WithCancel(context.WithoutCancel(ctx))
	}
	keep := context.AfterFunc(ctx, s.end) // reports whether ctx has not ended
	defer func() {
		if !keep() || err != nil || c.client.Username == "" {
			s.end()
			return
		}
		select {
		case c.streams <- s:
		default: // there is one already, as several copies were sent at once
			s.end()
		}
	}()
	if open != nil {
		if s.Lease_LeaseKeepAliveClient, err = pb.NewLeaseClient(c.client.ActiveConnection()).LeaseKeepAlive(open); err != nil {
			return nil, sent, err
		}
	}
	sent = time.Now()
	if err = s.Send(&pb.LeaseKeepAliveRequest{ID: c.session.lease}); err != nil {
		return nil, sent, err
	}
	kept, err = s.Recv()
	return kept, sent, err
}

// endStream ends the stream that is open, after the last renewal.
func (c *conn) endStream() {
	select {
	case s := <-c.streams:
		s.end()
	default:
	}
}
