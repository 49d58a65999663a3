package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/treelock/treelock/examples/objectfs/job"
	"github.com/treelock/treelock/examples/objectfs/lock"
	"github.com/treelock/treelock/examples/objectfs/report"
	"github.com/treelock/treelock/examples/objectfs/store"
	"github.com/treelock/treelock/manager"
)

// runOnce does the whole job with one kind of locks: it loads the folders, lets the clients work, verifies
// what came of it, and cleans up.
func runOnce(ctx context.Context, config config, locks string, trees []*job.Tree, bucket *bucket, stdout, stderr io.Writer) (r report.Run, err error) {
	locker, stop, err := newLocker(locks, config.http, stdout)
	if err != nil {
		return report.Run{}, err
	}
	defer stop()
	meter := lock.NewMeter(locker)
	prefix := config.prefix
	if config.compare {
		prefix += "-" + locks
	}
	j := job.New(job.Config{
		Store: store.NewBucket(bucket.Bucket), Latency: config.latency, Prefix: prefix, Trees: trees,
		Locks: meter, Clients: config.clients, Ops: config.ops, Seed: config.seed,
	})
	fmt.Fprintf(stdout, "%s, below %s: %d clients do %d operations on %d folders, a third of them empty; locks: %s\n",
		config.bucket, prefix, config.clients, config.ops, j.Folders(), locks)
	err = j.Load(ctx)
	if errors.Is(err, job.ErrInUse) {
		return report.Run{}, err
	}
	// From here on everything is brought to its end, even after Ctrl-C.
	last := context.WithoutCancel(ctx)
	defer func() { err = errors.Join(err, tidy(last, config, j, bucket, prefix, stdout)) }()
	if err != nil {
		return report.Run{}, err
	}
	fmt.Fprintln(stdout, "Loaded.")
	result := watched(ctx, config, j, locks, prefix, stderr)
	damage, err := j.Verify(last)
	return report.Run{
		Locks: locks, Planned: config.ops,
		Result: result, Waits: meter.Waits(), Damage: damage,
	}, err
}

// watched lets the clients work, and shows how far they are.
func watched(ctx context.Context, config config, j *job.Job, locks, prefix string, stderr io.Writer) job.Result {
	notice := fmt.Sprintf("objectfs: stopping: operations under way come to their end; "+
		"Ctrl-C again stops at once and leaves what is below %s in the bucket", prefix)
	defer report.Watch(ctx, stderr, "locks "+locks, config.ops, j.Done, notice)()
	return j.Run(ctx)
}

// tidy removes what the job has put into the bucket.
func tidy(ctx context.Context, config config, j *job.Job, bucket *bucket, prefix string, stdout io.Writer) error {
	if config.keep {
		fmt.Fprintf(stdout, "The folders stay in %s below %s.\n", config.bucket, prefix)
		return nil
	}
	err := j.Clean(ctx)
	bucket.sweep(prefix)
	return err
}

// newLocker returns the locks of a kind, and a function that ends them. Those of a tree are shown at address, unless it is empty.
func newLocker(kind, address string, stdout io.Writer) (locks lock.Locker, stop func(), err error) {
	switch kind {
	case locksGlobal:
		return lock.Global(), func() {}, nil
	case locksNone:
		return lock.None(), func() {}, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := manager.Start(ctx)
	stopManager := func() { cancel(); <-m.Done() }
	if address == "" {
		return lock.Tree(m), stopManager, nil
	}
	stopPage, err := servePage(address, m, stdout)
	if err != nil {
		stopManager()
		return nil, nil, err
	}
	return lock.Tree(m), func() { stopPage(); stopManager() }, nil
}
