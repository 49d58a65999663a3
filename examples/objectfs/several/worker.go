package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/rpc"
	"os"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/objectfs/job"
	"github.com/treelock/treelock/manager"
	"github.com/treelock/treelock/manager/cluster"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// work is a worker process. It calls its parent over its standard input and output. If the parent
// ends, so does the worker, at once.
func work() error {
	parent := rpc.NewClient(pipes{os.Stdin, os.Stdout})
	r := &remote{parent: parent}
	var setup Setup
	if err := parent.Call("Calls.Setup", struct{}{}, &setup); err != nil {
		return err
	}
	r.latency = setup.Latency
	trees, err := job.Load(setup.Load)
	if err != nil {
		return err
	}
	locks, shutdown, err := startLocks(setup)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		if _, err := r.ask("Stop", struct{}{}); err != nil {
			os.Exit(1) // the parent has ended
		}
		stop()
	}()
	if _, err := r.ask("Ready", struct{}{}); err != nil {
		return err
	}
	job.New(job.Config{
		Store: r, Ledger: r, Locks: &locker{locks: locks, remote: r}, Prefix: setup.Folders, Trees: trees,
		Clients: setup.Clients, Ops: setup.Ops, Seed: setup.Seed, Numbers: setup.Numbers,
		Ended: func(op string, err error) {
			ended := Ended{Op: op, Count: job.CountOf(err)}
			if err != nil {
				ended.Text = err.Error()
			}
			r.ask("Ended", ended)
		},
	}).Run(ctx)
	return shutdown()
}

// startLocks starts the lock manager of the process.
func startLocks(s Setup) (locks treelock.Locker[treelock.Path], shutdown func() error, err error) {
	if s.Locks == locksLocal {
		m := manager.Start(context.Background())
		return m, func() error { return m.Shutdown(context.Background()) }, nil
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: s.Endpoints, Logger: zap.NewNop()})
	if err != nil {
		return nil, nil, fmt.Errorf("several: etcd at %q: %w", s.Endpoints, err)
	}
	// The report tells what was lost, so the log is not shown.
	m, err := cluster.Start(context.Background(), client, s.Prefix, cluster.WithName(s.Name), cluster.WithTTL(s.TTL),
		cluster.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	return m, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		defer client.Close()
		return m.Shutdown(ctx)
	}, nil
}
