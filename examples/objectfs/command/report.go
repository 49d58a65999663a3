package command

import (
	"fmt"
	"io"
	"time"

	"github.com/treelock/treelock/examples/objectfs/job"
	"github.com/treelock/treelock/examples/objectfs/lock"
)

// shown is how many damaged folders are named.
const shown = 10

// A run is one run of the job.
type run struct {
	locks   string
	planned int // operations
	folders int
	result  job.Result
	waits   lock.Waits
	damage  []job.Damage
}

// total sums up the operations of all kinds.
func (r run) total() (total job.Count) {
	for _, count := range r.result.Ops {
		total.Done += count.Done
		total.Refused += count.Refused
		total.Failed += count.Failed
	}
	return total
}

// sound reports whether every operation ended as it must and every folder holds what it must.
func (r run) sound() bool { return len(r.damage) == 0 && r.total().Failed == 0 }

func (r run) damaged(kind job.Kind) (n int) {
	for _, damage := range r.damage {
		if damage.Kind == kind {
			n++
		}
	}
	return n
}

// throughput is how many operations were done a second.
func (r run) throughput() float64 {
	return float64(r.total().Done) / max(r.result.Elapsed, time.Microsecond).Seconds()
}

// verdict says in words how the run went.
func (r run) verdict() string {
	word, folders := "OK", fmt.Sprintf("all %d folders verified intact", r.folders)
	if strays := r.damaged(job.Stray); len(r.damage) > 0 {
		folders = fmt.Sprintf("%d of %d folders damaged, %d stray files", len(r.damage)-strays, r.folders, strays)
	}
	total := r.total()
	ended := total.Done + total.Refused + total.Failed
	operations := Grouped(ended)
	if ended < r.planned {
		word = "STOPPED"
		operations += " of " + Grouped(r.planned)
	}
	if !r.sound() {
		word = "FAILED"
		if r.locks == locksNone {
			word = "FAILED, as there are no locks"
		}
	}
	return fmt.Sprintf("%s: %s operations, %s failed, %s", word, operations, Grouped(total.Failed), folders)
}

// report writes a verdict for each of runs, a table with a column for each, and what went wrong.
func report(w io.Writer, runs []run) {
	for _, r := range runs {
		name := ""
		if len(runs) > 1 {
			name = "locks " + r.locks + ": "
		}
		fmt.Fprintf(w, "%s%s\n", name, r.verdict())
	}
	if len(runs) > 0 {
		fmt.Fprintln(w)
		table(w, runs)
		fmt.Fprint(w, terms)
	}
	for _, r := range runs {
		faults(w, r)
	}
}

// terms explains the rows of the table.
const terms = `
refused        the folder was not there, or the destination was: nothing was done
a second       operations done, refused and failed ones left out
wait           from a request for locks to its grant
wrong reads    a folder did not hold what the last operation on it had left; they count as failed
torn folders   files are missing, broken or too many
lost folders   all files are missing
mixed folders  files of several versions
stale folders  all files of one version, but not of the last one
stray files    a file outside all folders
`

func table(w io.Writer, runs []run) {
	row := func(name string, value func(r run) string) {
		fmt.Fprintf(w, "%-24s", name)
		for _, r := range runs {
			fmt.Fprintf(w, "%10s", value(r))
		}
		fmt.Fprintln(w)
	}
	count := func(name string, value func(r run) int) {
		row(name, func(r run) string { return Grouped(value(r)) })
	}
	row("locks", func(r run) string { return r.locks })
	for _, op := range job.Ops() {
		count("  "+op, func(r run) int { return r.result.Ops[op].Done })
	}
	count("operations done", func(r run) int { return r.total().Done })
	count("operations refused", func(r run) int { return r.total().Refused })
	count("operations failed", func(r run) int { return r.total().Failed })
	count("operations a second", func(r run) int { return int(r.throughput() + 0.5) })
	for _, base := range runs {
		if base.locks == locksGlobal && len(runs) > 1 {
			row("against global", func(r run) string { return fmt.Sprintf("%.1fx", r.throughput()/base.throughput()) })
		}
	}
	row("wait, median", func(r run) string { return Short(r.waits.Median) })
	row("wait, 99th percentile", func(r run) string { return Short(r.waits.P99) })
	row("wait, longest", func(r run) string { return Short(r.waits.Longest) })
	count("most waiting at once", func(r run) int { return r.waits.Queue })
	count("wrong reads", func(r run) int { return r.result.WrongReads })
	for _, kind := range job.Kinds {
		noun := " folders"
		if kind == job.Stray {
			noun = " files"
		}
		count(string(kind)+noun, func(r run) int { return r.damaged(kind) })
	}
}

// faults names some of the failed operations and damaged folders of a run.
func faults(w io.Writer, r run) {
	for _, failure := range r.result.Errors {
		fmt.Fprintf(w, "locks %s: failed: %s\n", r.locks, failure)
	}
	if more := r.total().Failed - len(r.result.Errors); more > 0 {
		fmt.Fprintf(w, "locks %s: failed: %s more\n", r.locks, Grouped(more))
	}
	for _, damage := range r.damage[:min(len(r.damage), shown)] {
		fmt.Fprintf(w, "locks %s: damaged: %s\n", r.locks, damage)
	}
	if more := len(r.damage) - shown; more > 0 {
		fmt.Fprintf(w, "locks %s: damaged: %s more\n", r.locks, Grouped(more))
	}
}

// Grouped writes n with commas: 10,000.
func Grouped(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Short rounds d to about three digits.
func Short(d time.Duration) string {
	digits := time.Duration(1)
	for d/digits >= 1000 {
		digits *= 10
	}
	return d.Round(digits).String()
}
