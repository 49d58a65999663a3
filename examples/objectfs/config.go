package main

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

// How many operations are done unless -ops says otherwise: so many that they take some seconds.
const (
	opsHere   = 10_000 // without latency
	opsRemote = 600    // with latency
)

// config is what the command line asks for.
type config struct {
	load    string
	bucket  string
	prefix  string
	clients int
	ops     int
	seed    uint64
	locks   string
	latency time.Duration
	compare bool
	keep    bool
	http    string
}

// parse reads the command line. With -h it writes the usage to stdout and returns [flag.ErrHelp].
func parse(args []string, stdout io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("objectfs", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // else it says in many lines what an error says in one
	flags.StringVar(&c.load, "load", "", "the `DIR` whose files fill the folders (default: the Go source of package net)")
	flags.StringVar(&c.bucket, "bucket", "mem://", "the `URL` of the bucket: mem://, file:///DIR or s3://NAME?region=R")
	flags.StringVar(&c.prefix, "prefix", "", "the `PREFIX` of all keys; nothing may be below it yet (default: a new one)")
	flags.IntVar(&c.clients, "clients", 32, "how many clients work at the same time")
	flags.IntVar(&c.ops, "ops", 0, fmt.Sprintf("how many operations they do in all (default: %d, with -latency %d)", opsHere, opsRemote))
	flags.Uint64Var(&c.seed, "seed", 1, "decides what each client chooses")
	flags.StringVar(&c.locks, "locks", locksTree, "what guards the folders: tree, global (one RWMutex) or none")
	flags.DurationVar(&c.latency, "latency", 0, "how much longer each operation of the bucket takes while the clients work, as if it were far away: 20ms")
	flags.BoolVar(&c.compare, "compare", false, "run with each kind of locks and compare them")
	flags.BoolVar(&c.keep, "keep", false, "leave the folders in the bucket")
	flags.StringVar(&c.http, "http", "", "serve a page with the locks, live, at `HOST:PORT` or :PORT while the job runs; with -compare, while it runs with tree")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(stdout)
		flags.Usage()
		return config{}, err
	case err != nil:
		return config{}, fmt.Errorf("objectfs: %w: see -h", err)
	}
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if err := c.check(flags.Args(), given); err != nil {
		return config{}, err
	}
	c.fill(given)
	return c, nil
}

// check refuses what makes no sense.
func (c config) check(rest []string, given map[string]bool) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("objectfs: unexpected argument %q: use flags only, see -h", rest[0])
	case c.clients < 1:
		return fmt.Errorf("objectfs: -clients %d: use 1 or more", c.clients)
	case given["ops"] && c.ops < 1:
		return fmt.Errorf("objectfs: -ops %d: use 1 or more", c.ops)
	case c.latency < 0:
		return fmt.Errorf("objectfs: -latency %v: use 0 or more", c.latency)
	case !slices.Contains([]string{locksTree, locksGlobal, locksNone}, c.locks):
		return fmt.Errorf("objectfs: -locks %q: use tree, global or none", c.locks)
	case c.compare && given["locks"]:
		return fmt.Errorf("objectfs: -compare runs all kinds of locks: leave out -locks")
	case c.http != "" && c.locks != locksTree:
		return fmt.Errorf("objectfs: -http shows the locks of a tree: leave out -locks, or -http")
	case given["prefix"] && strings.Trim(c.prefix, "/") == "":
		return fmt.Errorf("objectfs: -prefix %q: use a name, or leave it out for a new one", c.prefix)
	}
	if given["http"] {
		if err := checkAddress(c.http); err != nil {
			return err
		}
	}
	return checkURL(c.bucket)
}

// fill sets what was not given and has no fixed default.
func (c *config) fill(given map[string]bool) {
	c.prefix = strings.TrimSuffix(c.prefix, "/")
	if !given["prefix"] {
		c.prefix = newPrefix()
	}
	if !given["ops"] {
		c.ops = opsHere
		if c.latency > 0 {
			c.ops = opsRemote
		}
	}
}

// modes returns the kinds of locks to run with.
func (c config) modes() []string {
	if c.compare {
		return []string{locksTree, locksGlobal, locksNone}
	}
	return []string{c.locks}
}

// directory returns the directory to load.
func (c config) directory(ctx context.Context) (string, error) {
	if c.load != "" {
		return c.load, nil
	}
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("objectfs: the source of package net is not found: go env GOROOT: %w: pass -load DIR", err)
	}
	return filepath.Join(strings.TrimSpace(string(root)), "src", "net"), nil
}
