package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/treelock/treelock/examples/objectfs/command"
	"github.com/treelock/treelock/manager/cluster/clustertest"
)

func main() {
	playRole()
	ctx := command.Interruptible(context.Background())
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// playRole does not return in a process that the parent has started. Ctrl-C reaches all processes
// of a terminal: the parent alone decides what becomes of it.
func playRole() {
	signal.Ignore(os.Interrupt)
	clustertest.ServeIfAsked()
	var err error
	switch os.Getenv(roleEnv) {
	case roleWorker:
		err = work()
	case roleJanitor:
		err = tidy(os.Args[1])
	default:
		signal.Reset(os.Interrupt)
		return
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Getenv(roleEnv), err)
		os.Exit(1)
	}
	os.Exit(0)
}

// run does the job that args ask for, reports it, and returns the exit code of package command. The
// end of ctx is an interrupt.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c, err := parse(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return command.ExitOK
	}
	code := command.ExitUsage
	if err == nil {
		code, err = supervise(ctx, c, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
	}
	return code
}
