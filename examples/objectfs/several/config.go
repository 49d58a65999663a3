package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"
)

// The kinds of locks.
const (
	locksCluster = "cluster"
	locksLocal   = "local"
)

const (
	ttl         = 2 * time.Second // of a lease: the least that package cluster takes
	leastTime   = 8               // seconds
	defaultTime = 20              // seconds
)

// A config is what the command line asks for.
type config struct {
	locks   string
	workers int
	clients int
	seconds int
	ops     int // 0 for as many as there is time for
	seed    uint64
	load    string
	latency time.Duration
	etcd    string
	prefix  string
}

// parse reads the command line. With -h it writes the usage to stdout and returns [flag.ErrHelp].
func parse(args []string, stdout io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("several", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // else an error is followed by the usage
	flags.StringVar(&c.locks, "locks", locksCluster, "what guards the folders: cluster, or local (each process by itself)")
	flags.IntVar(&c.workers, "workers", 4, "how many processes work on the folders")
	flags.IntVar(&c.clients, "clients", 4, "how many clients each process has")
	flags.IntVar(&c.seconds, "seconds", defaultTime, "how long they work")
	flags.IntVar(&c.ops, "n", 0, "how many operations they do at most, in all (default: what there is time for)")
	flags.Uint64Var(&c.seed, "seed", 1, "decides what each client chooses")
	flags.StringVar(&c.load, "load", "", "the `DIR` whose files fill the folders (default: the Go source of package net)")
	flags.DurationVar(&c.latency, "latency", 10*time.Millisecond, "how long an operation of the store takes, on average")
	flags.StringVar(&c.etcd, "etcd", "", "the `ENDPOINTS` of etcd servers, with commas (default: a server of its own)")
	flags.StringVar(&c.prefix, "prefix", "/treelock-objectfs", "the prefix of the locks in etcd")
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(stdout)
		flags.Usage()
		return config{}, err
	}
	if err == nil {
		err = c.check(flags)
	}
	if err != nil {
		return config{}, fmt.Errorf("several: %w: see -h", err)
	}
	return c, nil
}

// check returns what is wrong with the flags, which c has the values of.
func (c config) check(flags *flag.FlagSet) error {
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q: use flags only", flags.Arg(0))
	case c.locks != locksCluster && c.locks != locksLocal:
		return fmt.Errorf("-locks %q: use cluster or local", c.locks)
	case c.workers < 3:
		return fmt.Errorf("-workers %d: use 3 or more, as one is killed and one is stopped", c.workers)
	case c.clients < 1:
		return fmt.Errorf("-clients %d: use 1 or more", c.clients)
	case c.seconds < leastTime:
		return fmt.Errorf("-seconds %d: use %d or more, as leases have to end meanwhile", c.seconds, leastTime)
	case c.ops < 0:
		return fmt.Errorf("-n %d: use 1 or more, or 0 for no limit", c.ops)
	case c.latency < 0:
		return fmt.Errorf("-latency %v: use 0 or more", c.latency)
	case c.etcd != "" && c.locks == locksLocal:
		return errors.New("-etcd is for -locks=cluster: leave one of them out")
	case strings.Trim(c.prefix, "/") == "":
		return fmt.Errorf("-prefix %q: use a name", c.prefix)
	}
	return nil
}
