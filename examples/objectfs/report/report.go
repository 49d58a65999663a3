// Package report shows people how far a job is and what came of it.
package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/treelock/treelock/examples/objectfs/job"
	"github.com/treelock/treelock/examples/objectfs/lock"
)

// shown is how many damaged folders are named.
const shown = 10

// A Run is what there is to report on one run of the job.
type Run struct {
	Locks   string // the name of the kind of locks
	Planned int    // operations
	Result  job.Result
	Waits   lock.Waits
	Damage  []job.Damage
}

// Sound says whether every operation ended as it must and every folder holds what it must.
func (r Run) Sound() bool { return len(r.Damage) == 0 && r.total().Failed == 0 }

// total sums up the operations of all kinds.
func (r Run) total() job.Count {
	var total job.Count
	for _, count := range r.Result.Ops {
		total.Done += count.Done
		total.Refused += count.Refused
		total.Failed += count.Failed
	}
	return total
}

// ended returns how many operations came to an end, whichever.
func (r Run) ended() int {
	total := r.total()
	return total.Done + total.Refused + total.Failed
}

// throughput returns how many operations were done a second. Refused and failed ones do not count.
func (r Run) throughput() float64 {
	return float64(r.total().Done) / max(r.Result.Elapsed.Seconds(), time.Microsecond.Seconds())
}

func (r Run) damaged(kind job.Kind) int {
	n := 0
	for _, damage := range r.Damage {
		if damage.Kind == kind {
			n++
		}
	}
	return n
}

// wrongReads sums up the reads that got what they must not.
func (r Run) wrongReads() int {
	n := 0
	for _, count := range r.Result.Reads {
		n += count
	}
	return n
}

// Print writes the report of one run.
func Print(w io.Writer, r Run) {
	fmt.Fprintf(w, "\nLocks: %s\n\n", r.Locks)
	operations(w, r)
	stopped(w, r)
	fmt.Fprintf(w, "\nThroughput: %.0f operations a second, for %s\n", r.throughput(), short(r.Result.Elapsed))
	fmt.Fprintf(w, "Wait for a grant: median %s, 99th percentile %s, longest %s\n",
		short(r.Waits.Median), short(r.Waits.P99), short(r.Waits.Longest))
	fmt.Fprintf(w, "Longest queue: %d requests waiting at once\n", r.Waits.Queue)
	failures(w, r)
	fmt.Fprintf(w, "Wrong reads: %d\n", r.wrongReads())
	for _, kind := range job.Kinds {
		noun := "folders"
		if kind == job.Stray {
			noun = "files"
		}
		fmt.Fprintf(w, "%s %s: %d\n", title(kind), noun, r.damaged(kind))
	}
	names(w, r.Damage)
}

// stopped says how far a run came that did not come to its end.
func stopped(w io.Writer, r Run) {
	if ended := r.ended(); ended < r.Planned {
		fmt.Fprintf(w, "\nStopped after %d of %d operations.\n", ended, r.Planned)
	}
}

func operations(w io.Writer, r Run) {
	t := newTable(w, 4)
	t.AppendHeader(table.Row{"operation", "done", "refused", "failed"})
	for _, op := range job.Ops {
		count := r.Result.Ops[op]
		t.AppendRow(table.Row{op, count.Done, count.Refused, count.Failed})
	}
	total := r.total()
	t.AppendFooter(table.Row{"all", total.Done, total.Refused, total.Failed})
	t.Render()
	fmt.Fprintln(w, "(refused: nothing to act on, or the destination was taken)")
}

func failures(w io.Writer, r Run) {
	for _, failure := range r.Result.Errors {
		fmt.Fprintf(w, "Failed: %s\n", failure)
	}
	if more := r.total().Failed - len(r.Result.Errors); more > 0 {
		fmt.Fprintf(w, "Failed: %d more\n", more)
	}
}

func names(w io.Writer, damages []job.Damage) {
	for i, damage := range damages {
		if i == shown {
			fmt.Fprintf(w, "  and %d more\n", len(damages)-shown)
			return
		}
		fmt.Fprintf(w, "  %s\n", damage)
	}
}

// Compare writes several runs side by side, and below what went wrong in which. Throughput is set off against the
// run with the global lock.
func Compare(w io.Writer, runs []Run) {
	t := newTable(w, len(runs)+1)
	row := func(name string, value func(r Run) string) {
		cells := table.Row{name}
		for _, r := range runs {
			cells = append(cells, value(r))
		}
		t.AppendRow(cells)
	}
	header := table.Row{"locks"}
	for _, r := range runs {
		header = append(header, r.Locks)
	}
	t.AppendHeader(header)
	row("operations done", func(r Run) string { return fmt.Sprint(r.total().Done) })
	row("operations refused", func(r Run) string { return fmt.Sprint(r.total().Refused) })
	row("operations failed", func(r Run) string { return fmt.Sprint(r.total().Failed) })
	row("operations a second", func(r Run) string { return fmt.Sprintf("%.0f", r.throughput()) })
	row("against global", func(r Run) string { return ratio(r, runs) })
	row("wait, median", func(r Run) string { return short(r.Waits.Median) })
	row("wait, 99th percentile", func(r Run) string { return short(r.Waits.P99) })
	row("wait, longest", func(r Run) string { return short(r.Waits.Longest) })
	row("longest queue", func(r Run) string { return fmt.Sprint(r.Waits.Queue) })
	t.AppendSeparator()
	row("wrong reads", func(r Run) string { return fmt.Sprint(r.wrongReads()) })
	for _, kind := range job.Kinds {
		noun := " folders"
		if kind == job.Stray {
			noun = " files"
		}
		row(string(kind)+noun, func(r Run) string { return fmt.Sprint(r.damaged(kind)) })
	}
	fmt.Fprintln(w)
	t.Render()
	for _, r := range runs {
		if !r.Sound() || r.ended() < r.Planned {
			fmt.Fprintf(w, "\nLocks: %s\n", r.Locks)
			stopped(w, r)
			failures(w, r)
			names(w, r.Damage)
		}
	}
}

func ratio(r Run, runs []Run) string {
	for _, base := range runs {
		if base.Locks == "global" && base.throughput() > 0 {
			return fmt.Sprintf("%.1fx", r.throughput()/base.throughput())
		}
	}
	return "-"
}

// newTable returns a table on w whose columns, but for the first, hold numbers.
func newTable(w io.Writer, columns int) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header, t.Style().Format.Footer = text.FormatDefault, text.FormatDefault
	var configs []table.ColumnConfig
	for i := 2; i <= columns; i++ {
		configs = append(configs, table.ColumnConfig{
			Number: i, Align: text.AlignRight, AlignHeader: text.AlignRight, AlignFooter: text.AlignRight,
		})
	}
	t.SetColumnConfigs(configs)
	return t
}

func title(kind job.Kind) string {
	return strings.ToUpper(string(kind[:1])) + string(kind[1:])
}

// short rounds d to about three digits.
func short(d time.Duration) string {
	digits := time.Duration(1)
	for d/digits >= 1000 {
		digits *= 10
	}
	return d.Round(digits).String()
}
