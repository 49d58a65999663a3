package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "gocloud.dev/blob/fileblob" // file://

	"github.com/treelock/treelock/examples/objectfs/bucket/blobstore"
	"github.com/treelock/treelock/examples/objectfs/command"
	"github.com/treelock/treelock/examples/objectfs/job"
	"github.com/treelock/treelock/manager/cluster/clustertest"
)

// supervise runs the parent: it makes a folder for everything, which a janitor removes, and lets
// the workers work there.
func supervise(ctx context.Context, c config, stdout, stderr io.Writer) (code int, err error) {
	code = command.ExitFailed
	defer func() {
		if ctx.Err() != nil {
			code = command.ExitInterrupted
		}
	}()
	dir, err := os.MkdirTemp("", "treelock-objectfs-")
	if err != nil {
		return code, err
	}
	j, err := startJanitor(dir)
	if err != nil {
		os.RemoveAll(dir)
		return code, err
	}
	defer func() { err = errors.Join(err, j.end()) }()
	r, err := superviseIn(ctx, dir, j, c, stdout, stderr)
	if err != nil {
		return code, err
	}
	r.write(stdout)
	if r.sound() || c.locks == locksLocal {
		code = command.ExitOK
	}
	return code, nil
}

// superviseIn starts what the workers need, lets them work, and verifies the folders.
func superviseIn(ctx context.Context, dir string, j *janitor, c config, stdout, stderr io.Writer) (*report, error) {
	endpoints := strings.Split(c.etcd, ",")
	if c.etcd == "" && c.locks == locksCluster {
		servers, err := clustertest.Start(dir, 1)
		if err != nil {
			return nil, err
		}
		defer servers[0].Kill()
		endpoints = clustertest.Endpoints(servers)
	}
	s, parent, closeStore, err := openFolders(ctx, &c, dir)
	if err != nil {
		return nil, err
	}
	defer closeStore()
	crew := newCrew(s, c, parent.Folders(), stderr)
	fmt.Fprintf(stdout, "%d processes with %d clients each rename, copy, read, overwrite and delete folders of one bucket for %d s, %s; ",
		c.workers, c.clients, c.seconds, underLocks[c.locks])
	fmt.Fprintln(stdout, "meanwhile one is killed and one is stopped; then every folder is verified.")
	if err := crew.run(ctx, j, Setup{
		Locks: c.locks, Endpoints: endpoints, Prefix: c.prefix, TTL: ttl, Load: c.load, Folders: folders, Latency: c.latency,
		Clients: c.clients, Ops: opsOf(c), Seed: c.seed,
	}); err != nil {
		return nil, err
	}
	s.finish()
	damage, err := parent.Verify(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	r := newReport(c, s, parent.Folders(), damage)
	r.stopped = ctx.Err() != nil
	return r, nil
}

var underLocks = map[string]string{
	locksCluster: "under the locks of package cluster",
	locksLocal:   "each process under locks of its own",
}

// folders is the prefix of all folders in the bucket. The bucket is new, but the locks of several
// runs with one -prefix of etcd must not meet.
var folders = "run-" + strings.ToLower(rand.Text()[:10])

// openFolders opens a bucket in dir, and fills it. It completes c.
func openFolders(ctx context.Context, c *config, dir string) (s *service, parent *job.Job, closeStore func(), err error) {
	if c.load == "" {
		if c.load, err = command.DefaultLoad(ctx); err != nil {
			return nil, nil, nil, err
		}
	}
	trees, err := job.Load(c.load)
	if err != nil {
		return nil, nil, nil, err
	}
	for name, temp := range map[string]bool{"bucket": false, "temp": true} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			return nil, nil, nil, err
		}
		if temp { // where a driver writes an object before it renames it
			os.Setenv("TMPDIR", filepath.Join(dir, name))
		}
	}
	// On Windows a path has no first slash.
	path := strings.TrimPrefix(filepath.ToSlash(filepath.Join(dir, "bucket")), "/")
	url := "file:///" + path + "?metadata=skip"
	b, err := blobstore.Open(ctx, url, 10*time.Second)
	if err != nil {
		return nil, nil, nil, err
	}
	s = newService(b, c.workers, c.locks == locksCluster)
	parent = job.New(job.Config{Store: b, Ledger: s.ledger, Prefix: folders, Trees: trees})
	if err := parent.Load(ctx); err != nil {
		b.Close()
		return nil, nil, nil, err
	}
	return s, parent, func() { b.Close() }, nil
}

// opsOf returns how many operations each worker does at most.
func opsOf(c config) int {
	if c.ops == 0 {
		return math.MaxInt
	}
	return (c.ops + c.workers - 1) / c.workers
}
