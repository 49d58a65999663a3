package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/webdav/internal/davlock"
	"github.com/treelock/treelock/examples/webdav/internal/records"
	"github.com/treelock/treelock/manager"
	"github.com/treelock/treelock/manager/cluster"
)

// A locking is what serves the locks of one process, or of several.
type locking struct {
	locker  treelock.Locker[treelock.Path]
	manager *manager.Manager[treelock.Path] // for the live page
	table   *davlock.Table
	close   func() // frees what is held
}

// startLocks starts a manager of this process, or with -etcd one that shares its locks.
func startLocks(ctx context.Context, c config, logger *slog.Logger) (*locking, error) {
	ctx, stop := context.WithCancel(ctx)
	if c.etcd == "" {
		m := manager.Start(ctx)
		return &locking{m, m, davlock.Start(ctx, m, c.locks, nil), stop}, nil
	}
	// The client logs what the manager tells as well.
	client, err := clientv3.New(clientv3.Config{
		Endpoints: strings.Split(c.etcd, ","), DialTimeout: 10 * time.Second, Logger: zap.NewNop(),
	})
	if err != nil {
		stop()
		return nil, err
	}
	m, err := cluster.Start(ctx, client, c.prefix+"/tree", cluster.WithLogger(logger), cluster.WithTTL(c.ttl))
	if err != nil {
		stop()
		client.Close()
		return nil, fmt.Errorf("start the locks over etcd: %w", err)
	}
	store := records.Start(ctx, client, m, c.prefix+"/webdav", c.ttl)
	table := davlock.Start(ctx, m, c.locks, store)
	return &locking{m, m.Manager, table, func() {
		store.Close()
		stop()
		<-m.Done()
		client.Close()
	}}, nil
}
