// Command speed measures what a lock costs, beside what programs use in its place. It runs the
// benchmarks of package manager/bench, and one of its own, in the repository that it is started in.
//
//	go run ./examples/speed                          # half an hour
//	go run ./examples/speed -count 1 -bench Lock     # a first look: a minute
//	go run ./examples/speed -from FOLDER/bench.txt   # draw what was measured before
//	go run ./examples/speed -cluster                 # the lock over etcd: a quarter of an hour
//
// With -cluster it runs those of package manager/cluster/clustertest, which start etcd servers.
//
// Each round measures everything once, so a slow minute affects all benchmarks alike. Figures are
// medians over the rounds; ratios are taken within each round.
//
// The command prints a Markdown table, and writes it to speed.md in a new folder (see -o), with the
// plots clients.svg and flat.svg; with -cluster to cluster.md, with cluster.svg and hand-over.svg.
// What the benchmarks print goes to stderr, and to bench.txt for benchstat. If a benchmark fails,
// or Ctrl-C comes, the command draws what was measured before.
//
// The exit code is 0 if all was measured, 1 if something failed, 2 for wrong usage, and 130 after
// Ctrl-C.
package main

import (
	"cmp"
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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second Ctrl-C ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its dependencies as parameters. The end of ctx is the first Ctrl-C.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (exitCode int) {
	var p plan
	flags := flag.NewFlagSet("speed", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.UintVar(&p.count, "count", 10, "measure so many `rounds`; confidence intervals need 6")
	flags.UintVar(&p.cpu, "cpu", 2, "GOMAXPROCS of the benchmarks")
	flags.StringVar(&p.benchtime, "benchtime", "300ms", "as in go test, for each benchmark in each round")
	flags.StringVar(&p.bench, "bench", "", "as in go test; the default is what the report shows")
	cluster := flags.Bool("cluster", false, "measure the lock over etcd")
	out := flags.String("o", time.Now().Format("speed-20060102-150405"), "write to this `folder`")
	from := flags.String("from", "", "measure nothing: draw this `file`, the bench.txt of an earlier run")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil || flags.NArg() > 0:
		fmt.Fprintln(stderr, "speed: wrong usage, see -h", flags.Args())
		return 2
	}
	p.suite = inProcess
	if *cluster {
		p.suite = overEtcd
	}
	p.bench = cmp.Or(p.bench, p.suite.bench)
	var err error
	if *from == "" {
		*from = filepath.Join(*out, "bench.txt")
		err = p.measure(ctx, *from, stderr)
	}
	if _, missing := os.Stat(*from); err == nil || missing == nil { // it may be partial
		err = errors.Join(err, p.suite.report(*from, *out, stdout))
	}
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "\nspeed: interrupted:", err)
		return 130
	case err != nil:
		fmt.Fprintln(stderr, "speed:", err)
		return 1
	}
	fmt.Fprintln(stderr, "The table and the plots are in", *out)
	return 0
}

// report prints the table of a file, and writes it and the plots to a folder.
func (s suite) report(file, dir string, stdout io.Writer) error {
	printed, err := os.Open(file)
	if err != nil {
		return err
	}
	defer printed.Close()
	f, err := read(printed)
	if err != nil {
		return err
	}
	if len(f.values) == 0 {
		return fmt.Errorf("%s has no results of benchmarks", file)
	}
	files := map[string][]byte{s.file: s.table(f)}
	for _, c := range s.charts {
		if svg, err := c.draw(f); err != nil {
			return err
		} else if svg != nil {
			files[c.file] = svg
		}
	}
	fmt.Fprintf(stdout, "%s", files[s.file])
	err = os.MkdirAll(dir, 0o777)
	for name, data := range files {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), data, 0o666))
	}
	return err
}
