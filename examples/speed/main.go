// Command speed measures what a lock costs, next to what people would use in its place, and says which of the
// project's goals are met. It runs the benchmarks of package manager in the repository that it is started in.
//
//	go run ./examples/speed                            # everything: about twenty minutes
//	go run ./examples/speed -count 3 -benchtime 50ms   # a first look: some minutes, as locks beside busy goroutines take 10 s each
//	go run ./examples/speed -bench clients=32$
//	go run ./examples/speed -from DIR/bench.txt        # report again on what was measured before
//
// In each round everything is measured once; figures are medians over the rounds, and ratios are taken within each round. So
// a machine that is busy with something else for a while does less harm. The report is speed.md in a new folder
// (see -o), with the plots clients.svg, depth.svg and flat.svg, and what the benchmarks have printed, bench.txt, which
// benchstat reads, too.
//
// It exits with 0 if it has reported, whether goals are met or not, 1 if something failed, 2 for wrong usage, and 130
// after Ctrl-C, when it writes nothing.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/treelock/treelock/examples/speed/figures"
	"github.com/treelock/treelock/examples/speed/measure"
	"github.com/treelock/treelock/examples/speed/report"
)

// The exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// The files of a report, besides the plots.
const (
	benchFile  = "bench.txt"
	reportFile = "speed.md"
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
	config, err := parse(args, time.Now(), stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	switch err := work(ctx, config, stdout, stderr); {
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "speed: interrupted: nothing is written")
		return exitInterrupted
	case err != nil:
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	return exitOK
}

// work does what config asks for.
func work(ctx context.Context, config config, stdout, stderr io.Writer) error {
	if config.from != "" {
		text, err := os.ReadFile(config.from)
		if err != nil {
			return fmt.Errorf("speed: %w: name the bench.txt of an earlier report", err)
		}
		return publish(text, config.out, stdout, stderr)
	}
	// Before all the measuring: a folder that cannot be had must not be found out afterwards.
	_, before := os.Stat(config.out)
	if err := os.MkdirAll(config.out, 0o777); err != nil {
		return fmt.Errorf("speed: there is no folder for the report: %w: name another with -o", err)
	}
	text, err := measured(ctx, config, stderr)
	if err != nil {
		if before != nil {
			_ = os.Remove(config.out) // it is ours, and empty
		}
		return err
	}
	if err := os.WriteFile(filepath.Join(config.out, benchFile), text, 0o666); err != nil {
		return fmt.Errorf("speed: %w", err)
	}
	return publish(text, config.out, stdout, stderr)
}

// measured returns what the benchmarks print, below a head that says how they were run.
func measured(ctx context.Context, config config, stderr io.Writer) ([]byte, error) {
	fmt.Fprintln(stderr, "compiling the benchmarks")
	suite, err := measure.Compile(ctx)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for _, line := range []struct {
		key   string
		value any
	}{
		{report.KeyCommand, config.command()},
		{report.KeyDate, time.Now().UTC().Format("2006-01-02 15:04 UTC")},
		{report.KeyGo, suite.GoVersion()},
		{report.KeyProcs, config.plan.Procs},
		{report.KeyRounds, config.plan.Rounds},
		{report.KeyTime, config.plan.BenchTime},
	} {
		fmt.Fprintf(&text, "%s: %v\n", line.key, line.value)
	}
	show, end := measure.Show(stderr, config.plan)
	err = suite.Run(ctx, config.plan, &text, show)
	end()
	return text.Bytes(), errors.Join(err, suite.Close())
}

// publish makes the report of what benchmarks have printed: on stdout, and with plots in dir.
func publish(text []byte, dir string, stdout, stderr io.Writer) error {
	set, err := figures.Read(bytes.NewReader(text))
	if err != nil {
		return err
	}
	var markdown bytes.Buffer
	if err := report.Markdown(&markdown, set); err != nil {
		return fmt.Errorf("speed: the report cannot be made: %w", err)
	}
	plots, err := report.Plots(set)
	if err != nil {
		return err
	}
	files := append(plots, report.File{Name: reportFile, Data: markdown.Bytes()})
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("speed: there is no folder for the report: %w: name another with -o", err)
	}
	for _, file := range files {
		if err := os.WriteFile(filepath.Join(dir, file.Name), file.Data, 0o666); err != nil {
			return fmt.Errorf("speed: the report cannot be written: %w: name another folder with -o", err)
		}
	}
	if _, err := stdout.Write(markdown.Bytes()); err != nil {
		return fmt.Errorf("speed: %w", err)
	}
	fmt.Fprintf(stderr, "The report is in %s.\n", dir)
	return nil
}
