package where

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/treelock/treelock/manager/cluster"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Config returns the configuration of a client. The caller owns it.
func (s *Settings) Config() clientv3.Config {
	config := s.config
	if config.TLS != nil {
		config.TLS = config.TLS.Clone()
	}
	return config
}

// Client connects to etcd. With a user it waits for an answer, for s.Connect, else it does not.
func (s *Settings) Client() (*clientv3.Client, error) { return s.connect(context.Background()) }

// connect is Client, until ctx ends. The client outlives ctx.
func (s *Settings) connect(ctx context.Context) (*clientv3.Client, error) {
	config := s.Config()
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	config.Context = life
	keep := context.AfterFunc(ctx, cancel)
	client, err := clientv3.New(config)
	if !keep() && err == nil {
		client.Close()
		err = ctx.Err()
	}
	if err != nil {
		cancel()
		return nil, s.unavailable(ctx, err, nil)
	}
	context.AfterFunc(client.Ctx(), cancel)
	return client, nil
}

// Start connects to etcd and starts a manager, within s.Connect. The manager lives until stop is
// called, or ctx ends. stop must be called: it shuts the manager down and closes the client. An
// error is an [ErrUnavailable], or that of ctx.
func (s *Settings) Start(ctx context.Context, log *slog.Logger) (m *cluster.Manager, stop func(), err error) {
	began := time.Now()
	client, err := s.connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	// The context of a manager ends it, so it is not the one that bounds the start.
	live, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(s.Connect-time.Since(began), cancel)
	m, err = cluster.Start(live, client, s.Prefix, cluster.WithName(s.Name), cluster.WithTTL(s.TTL), cluster.WithLogger(log))
	if !timer.Stop() && err == nil {
		<-m.Done()
		err = context.DeadlineExceeded
	}
	if err != nil {
		err = s.unavailable(ctx, err, client)
		cancel()
		client.Close()
		return nil, nil, err
	}
	return m, func() {
		m.Shutdown(live)
		cancel()
		<-m.Done()
		client.Close()
	}, nil
}

// unavailable returns the error of a start that failed. The client may be nil.
func (s *Settings) unavailable(ctx context.Context, err error, client *clientv3.Client) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	at := strings.Join(s.Endpoints, ", ")
	if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		text := strings.TrimPrefix(err.Error(), "treelock: ")
		if client == nil {
			text = fmt.Sprintf("connect to etcd at %s: %s", at, text)
		}
		return &kindError{ErrUnavailable, errors.New(text)}
	}
	within := s.Connect
	if client != nil {
		within = min(within, s.TTL) // which bounds a start as well
	}
	text := fmt.Sprintf("etcd at %s did not answer within %v", at, within)
	if why := Unreachable(client); why != "" {
		text += ": " + why
	}
	return &kindError{ErrUnavailable, errors.New(text)}
}

// Unreachable returns why no endpoint of a client can be reached, or "" if one can, or if that is
// not known at once. The client itself tries again without a word.
func Unreachable(client *clientv3.Client) string {
	if client == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err := pb.NewKVClient(client.ActiveConnection()).Range(ctx, &pb.RangeRequest{Key: []byte("a")})
	if status.Code(err) != codes.Unavailable {
		return ""
	}
	text := status.Convert(err).Message()
	for _, before := range []string{"last connection error: ", "connection error: desc = "} {
		if _, after, ok := strings.Cut(text, before); ok {
			text = after
		}
	}
	return strings.Trim(strings.ReplaceAll(text, "\n", " "), `"`)
}
