// Package command is the command line of objectfs, for any store.
package command

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/treelock/treelock/examples/objectfs/job"
	"github.com/treelock/treelock/examples/objectfs/lock"
	"github.com/treelock/treelock/examples/objectfs/store"
	"github.com/treelock/treelock/manager"
)

// The exit codes. ExitFailed means that the job cannot run, or that an operation failed or a folder
// is damaged in spite of locks. ExitInterrupted follows Ctrl-C and a report of what was done.
const (
	ExitOK          = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitInterrupted = 130
)

// progressEvery is how often the progress is told.
const progressEvery = 2 * time.Second

// Interruptible returns a context that ends with the first Ctrl-C. The second one ends the
// process.
func Interruptible(ctx context.Context) context.Context {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx
}

// Run does the job in s that args ask for, reports it, and returns the exit code. It removes from
// s what it has written, and touches nothing else. The end of ctx is an interrupt.
func Run(ctx context.Context, s store.Store, args []string, stdout, stderr io.Writer) int {
	config, err := parse(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return ExitOK
	}
	code := ExitUsage
	if err == nil {
		code, err = work(ctx, s, config, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
	}
	return code
}

// work does the job with each kind of locks, and reports.
func work(ctx context.Context, s store.Store, config config, stdout, stderr io.Writer) (code int, err error) {
	dir, err := config.directory(ctx)
	if err != nil {
		return ExitFailed, err
	}
	trees, err := job.Load(dir)
	if err != nil {
		return ExitFailed, err
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	m := manager.Start(life)
	defer func() { end(); <-m.Done() }()
	if config.http != "" {
		stop, err := servePage(config.http, m, stdout)
		if err != nil {
			return ExitFailed, err
		}
		defer stop()
	}
	lockers := map[string]lock.Locker{locksTree: lock.Tree(m), locksGlobal: lock.Global(), locksNone: lock.None()}
	fmt.Fprintf(stdout, "%d clients rename, copy, read, overwrite and delete folders of the %s files in %s, ",
		config.clients, Grouped(job.Size(trees)), dir)
	fmt.Fprintf(stdout, "%s operations in all; then every folder is verified.\n", Grouped(config.ops))
	var runs []run
	for _, locks := range config.locks {
		meter := lock.NewMeter(lockers[locks])
		j := job.New(job.Config{
			Store: s, Latency: config.latency, Prefix: "objectfs-" + strings.ToLower(rand.Text()[:10]), Trees: trees,
			Locks: meter, Clients: config.clients, Ops: config.ops, Seed: config.seed,
		})
		result, damage, err := do(ctx, j, locks, config.ops, stderr)
		if err == nil {
			runs = append(runs, run{locks, config.ops, j.Folders(), result, meter.Waits(), damage})
		}
		switch {
		case ctx.Err() != nil:
			report(stdout, runs)
			return ExitInterrupted, err
		case err != nil:
			return ExitFailed, err
		}
	}
	report(stdout, runs)
	if slices.ContainsFunc(runs, func(r run) bool { return r.locks != locksNone && !r.sound() }) {
		return ExitFailed, nil
	}
	return ExitOK, nil
}

// do loads the folders, lets the clients work, verifies the outcome, and cleans up, even after an
// interrupt.
func do(ctx context.Context, j *job.Job, what string, ops int, stderr io.Writer) (result job.Result, damage []job.Damage, err error) {
	last := context.WithoutCancel(ctx)
	defer func() { err = errors.Join(err, j.Clean(last)) }()
	if err := j.Load(ctx); err != nil {
		return job.Result{}, nil, err
	}
	stop := watch(ctx, stderr, what, ops, j.Done)
	result = j.Run(ctx)
	stop()
	damage, err = j.Verify(last)
	return result, damage, err
}

// watch tells w from time to time how many operations are done, until ctx ends. It writes no more
// once stop has returned.
func watch(ctx context.Context, w io.Writer, what string, ops int, done func() int) (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(progressEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				fmt.Fprintf(w, "%s: %s of %s operations\n", what, Grouped(done()), Grouped(ops))
			case <-ctx.Done():
				fmt.Fprintln(w, "\nobjectfs: interrupted: the operations under way end first; Ctrl-C again stops at once")
				return
			case <-quit:
				return
			}
		}
	}()
	return func() { close(quit); <-ended }
}
