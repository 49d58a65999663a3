package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The kinds of locks.
const (
	locksTree   = "tree"
	locksGlobal = "global"
	locksNone   = "none"
)

var allLocks = []string{locksTree, locksGlobal, locksNone}

// How many operations are done unless -ops says otherwise. Either takes a few seconds.
const (
	opsHere   = 10_000 // without latency
	opsRemote = 600    // with latency
)

// config is what the command line asks for.
type config struct {
	load    string
	clients int
	ops     int
	seed    uint64
	locks   []string
	latency time.Duration
	http    string
}

// parse reads the command line. With -h it writes the usage to stdout and returns [flag.ErrHelp].
func parse(args []string, stdout io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("objectfs", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // else an error is followed by the usage
	flags.StringVar(&c.load, "load", "", "the `DIR` whose files fill the folders (default: the Go source of package net)")
	flags.IntVar(&c.clients, "clients", 32, "how many clients work at the same time")
	flags.IntVar(&c.ops, "ops", 0, fmt.Sprintf("how many operations they do in all (default: %d, with -latency %d)", opsHere, opsRemote))
	flags.Uint64Var(&c.seed, "seed", 1, "decides what each client chooses")
	locks := flags.String("locks", locksTree, "what guards the folders: tree, global (one RWMutex) or none")
	compare := flags.Bool("compare", false, "run with each kind of locks and compare them")
	flags.DurationVar(&c.latency, "latency", 0, "how much longer each operation of the store takes while the clients work: 20ms")
	flags.StringVar(&c.http, "http", "", "serve a page with the tree locks at `HOST:PORT` or :PORT while the job runs")
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(stdout)
		flags.Usage()
		return config{}, err
	}
	if c.locks = []string{*locks}; *compare {
		c.locks = allLocks
	}
	if err == nil {
		err = c.check(flags, *locks, *compare)
	}
	if err != nil {
		return config{}, fmt.Errorf("objectfs: %w: see -h", err)
	}
	if c.ops == 0 {
		c.ops = opsHere
		if c.latency > 0 {
			c.ops = opsRemote
		}
	}
	return c, nil
}

// check returns what is wrong with the flags, which c has the values of.
func (c config) check(flags *flag.FlagSet, locks string, compare bool) error {
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q: use flags only", flags.Arg(0))
	case c.clients < 1:
		return fmt.Errorf("-clients %d: use 1 or more", c.clients)
	case given["ops"] && c.ops < 1:
		return fmt.Errorf("-ops %d: use 1 or more", c.ops)
	case c.latency < 0:
		return fmt.Errorf("-latency %v: use 0 or more", c.latency)
	case !slices.Contains(allLocks, locks):
		return fmt.Errorf("-locks %q: use tree, global or none", locks)
	case compare && given["locks"]:
		return errors.New("-compare runs all kinds of locks: leave out -locks")
	case c.http != "" && locks != locksTree:
		return errors.New("-http shows tree locks: leave out -locks, or -http")
	}
	return nil
}

// directory returns the directory to load.
func (c config) directory(ctx context.Context) (string, error) {
	if c.load != "" {
		return c.load, nil
	}
	return DefaultLoad(ctx)
}

// DefaultLoad returns the directory to load if none is given: the Go source of package net.
func DefaultLoad(ctx context.Context) (string, error) {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("objectfs: go env GOROOT: %w: pass -load DIR", err)
	}
	return filepath.Join(strings.TrimSpace(string(root)), "src", "net"), nil
}
