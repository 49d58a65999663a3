package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/treelock/treelock/examples/speed/measure"
	"github.com/treelock/treelock/examples/speed/report"
)

// config is what the command line asks for.
type config struct {
	plan   measure.Plan
	out    string
	from   string
	filter string
}

// parse reads the command line. With -h it writes the usage to stdout and returns [flag.ErrHelp].
func parse(args []string, now time.Time, stdout io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("speed", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // else it says in many lines what an error says in one
	flags.IntVar(&c.plan.Rounds, "count", 10, "how many `rounds`: in each, everything is measured once. Below 6 there is no confidence interval")
	flags.IntVar(&c.plan.Procs, "cpu", 2, "GOMAXPROCS of the benchmarks")
	flags.StringVar(&c.plan.BenchTime, "benchtime", "300ms", "how long to measure each benchmark in each round, as a `duration`, or how often, as 100x")
	flags.StringVar(&c.filter, "bench", "", "measure only the benchmarks whose names match this regular `expression`, like impl=echo or depth=4/clients=32$")
	flags.StringVar(&c.out, "o", "", "the `folder` for the report. Files of the same names there are replaced (default: a new folder speed-TIME; with -from, where the file is)")
	flags.StringVar(&c.from, "from", "", "measure nothing: report on this `file`, the bench.txt of an earlier report")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(stdout)
		flags.Usage()
		return config{}, err
	case err != nil:
		return config{}, fmt.Errorf("speed: %w: see -h", err)
	}
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if err := c.check(flags.Args(), given); err != nil {
		return config{}, err
	}
	if err := c.choose(); err != nil {
		return config{}, err
	}
	c.fill(now)
	return c, nil
}

var repeated = regexp.MustCompile(`^[1-9][0-9]*x$`)

// check refuses what makes no sense.
func (c config) check(rest []string, given map[string]bool) error {
	duration, err := time.ParseDuration(c.plan.BenchTime)
	switch {
	case len(rest) > 0:
		return fmt.Errorf("speed: unexpected argument %q: use flags only, see -h", rest[0])
	case c.plan.Rounds < 1:
		return fmt.Errorf("speed: -count %d: use 1 or more", c.plan.Rounds)
	case c.plan.Procs < 1:
		return fmt.Errorf("speed: -cpu %d: use 1 or more", c.plan.Procs)
	case !repeated.MatchString(c.plan.BenchTime) && (err != nil || duration <= 0):
		return fmt.Errorf("speed: -benchtime %q: use a duration like 300ms, or a number like 100x", c.plan.BenchTime)
	case given["o"] && c.out == "":
		return errors.New("speed: -o is empty: name a folder, or leave it out for a new one")
	case given["from"] && c.from == "":
		return errors.New("speed: -from is empty: name a file, or leave it out to measure")
	}
	for _, name := range []string{"count", "cpu", "benchtime", "bench"} {
		if given["from"] && given[name] {
			return fmt.Errorf("speed: -from measures nothing: leave out -%s", name)
		}
	}
	return nil
}

// choose finds the benchmarks to run.
func (c *config) choose() error {
	filter, err := regexp.Compile(c.filter)
	if err != nil {
		return fmt.Errorf("speed: -bench: %w", err)
	}
	for _, name := range report.Names() {
		if filter.MatchString(name) {
			c.plan.Names = append(c.plan.Names, name)
		}
	}
	if len(c.plan.Names) == 0 {
		return fmt.Errorf("speed: -bench %q matches no benchmark: leave it out to see the names of all in the report", c.filter)
	}
	return nil
}

// fill sets what was not given and has no fixed default.
func (c *config) fill(now time.Time) {
	switch {
	case c.out != "":
	case c.from != "":
		c.out = filepath.Dir(c.from)
	default:
		c.out = now.Format("speed-20060102-150405")
	}
}

// command returns what to type to get the same again. Folders and files are left out: they are somebody's own.
func (c config) command() string {
	words := []string{"go run ./examples/speed", "-count", strconv.Itoa(c.plan.Rounds), "-cpu", strconv.Itoa(c.plan.Procs), "-benchtime", c.plan.BenchTime}
	if c.filter != "" {
		words = append(words, "-bench", "'"+strings.ReplaceAll(c.filter, "'", `'\''`)+"'")
	}
	return strings.Join(words, " ")
}
