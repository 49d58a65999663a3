// Command objectfs shows treelock at work: whole folders of an object store, which has no atomic folder
// operation, are renamed, copied, read, overwritten and deleted by many clients at once, and at the end every
// folder is compared with what it must hold.
//
//	go run ./examples/objectfs                          # in memory, with the Go source of package net
//	go run ./examples/objectfs -locks=none              # the damage without locks
//	go run ./examples/objectfs -compare -latency 20ms   # tree, global, none, as with a remote store
//	go run ./examples/objectfs -latency 20ms -ops 20000 -http :8080   # and a page that shows who waits for whom
//	go run ./examples/objectfs -bucket file:///tmp/b -load /etc/ssl
//	go run ./examples/objectfs -bucket 's3://NAME?region=eu-central-1'
//
// It exits with 0 if all went well, 1 if something failed or a folder is damaged in spite of locks, 2 for wrong
// usage, and 130 after Ctrl-C, when it still says what was done.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/treelock/treelock/examples/objectfs/job"
	"github.com/treelock/treelock/examples/objectfs/report"
)

// The exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first Ctrl-C the second one ends the process as usual.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with all that it depends on handed in. The end of ctx is the first Ctrl-C. It returns the
// exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	config, err := parse(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	err = work(ctx, config, stdout, stderr)
	switch {
	case ctx.Err() != nil:
		if err != nil {
			fmt.Fprintln(stderr, err)
		}
		return exitInterrupted
	case err != nil:
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	return exitOK
}

// errDamage says that folders were damaged, or operations failed, in spite of locks.
var errDamage = errors.New("objectfs: operations failed or folders are damaged in spite of locks: see the report above")

// work does what config asks for, and reports.
func work(ctx context.Context, config config, stdout, stderr io.Writer) error {
	dir, err := config.directory(ctx)
	if err != nil {
		return err
	}
	trees, err := job.Load(dir)
	if err != nil {
		return err
	}
	bucket, err := openBucket(ctx, config.bucket, reachable)
	if err != nil {
		return err
	}
	defer bucket.close()
	files, size := job.Size(trees)
	fmt.Fprintf(stdout, "%s: %d files of %d kB in all make %d folders\n", dir, files, (size+999)/1000, len(trees))

	var runs []report.Run
	for _, locks := range config.modes() {
		if ctx.Err() != nil {
			break
		}
		r, err := runOnce(ctx, config, locks, trees, bucket, stdout, stderr)
		if err != nil {
			return err
		}
		runs = append(runs, r)
	}
	if config.compare {
		report.Compare(stdout, runs)
	} else if len(runs) == 1 {
		report.Print(stdout, runs[0])
	}
	for _, r := range runs {
		if r.Locks != locksNone && !r.Sound() {
			return errDamage
		}
	}
	return nil
}
