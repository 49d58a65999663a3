package where

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Defaults, and what etcd and package cluster take.
const (
	defaultPrefix  = "/treelock"
	defaultTTL     = 10 * time.Second
	defaultConnect = 5 * time.Second

	minTTL       = 2 * time.Second
	maxTTL       = time.Minute
	maxPrefixLen = 1 << 10
)

// Flags are the flags that all parts of the command have.
type Flags struct {
	set                *pflag.FlagSet
	endpoints          []string
	prefix, root, name string
	raw, verbose       bool
	ttl, connect       time.Duration
}

// Add adds the flags to a set.
func (f *Flags) Add(set *pflag.FlagSet) {
	f.set = set
	set.StringSliceVar(&f.endpoints, "etcd", nil, "`endpoints` of etcd, with commas between")
	set.StringVar(&f.prefix, "prefix", defaultPrefix, "`prefix` of the keys in etcd: one prefix is one tree")
	set.StringVar(&f.root, "root", "", "the `folder` that paths are relative to (the git repository's top folder)")
	set.StringVar(&f.name, "name", "", "`name` of this process in the errors and lists of all (user@host:pid)")
	set.BoolVar(&f.raw, "raw", false, "take paths as they are, and not as names of files")
	set.BoolVarP(&f.verbose, "verbose", "v", false, "show what was claimed, and what etcd fails to do")
	set.DurationVar(&f.ttl, "ttl", defaultTTL, "how long what a dead process held stays taken")
	set.DurationVar(&f.connect, "connect-timeout", defaultConnect, "how long to wait for etcd at the start")
}

// text returns the value of a flag, if the command line has it.
func (f *Flags) text(name string) (string, bool) {
	if name == "" || f.set == nil || !f.set.Changed(name) {
		return "", false
	}
	switch name {
	case "etcd":
		return strings.Join(f.endpoints, ","), true
	case "prefix":
		return f.prefix, true
	case "root":
		return f.root, true
	case "name":
		return f.name, true
	case "raw":
		return strconv.FormatBool(f.raw), true
	case "ttl":
		return f.ttl.String(), true
	}
	return f.connect.String(), true
}
