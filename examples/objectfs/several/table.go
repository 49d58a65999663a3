package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/treelock/treelock/examples/objectfs/command"
	"github.com/treelock/treelock/examples/objectfs/job"
)

const terms = `
refused            the folder was not there, or the destination was: nothing was done
given up           the lease was lost in the middle
failed             another process interfered
wait               from a request for locks to its grant
hand-overs         grants of a folder that another process had been granted last
took over          operations that another process had left half done
late               with a smaller token than a later grant that has used the folder
overlaps           grants while another process was in the folder
torn folders       files are missing, broken or too many
left half written  by the process that is named, and not taken over: not counted as torn
`

// A table writes rows: a name, the value of each worker, and that of all.
type table struct {
	out   io.Writer
	stats []stats
}

func (t table) row(name string, value func(s stats) string, all string) {
	fmt.Fprintf(t.out, "%-22s", name)
	for _, s := range t.stats {
		fmt.Fprintf(t.out, "%10s", value(s))
	}
	fmt.Fprintf(t.out, "%10s\n", all)
}

// sum is a row of numbers, and of their sum.
func (t table) sum(name string, value func(s stats) int) {
	sum := 0
	for _, s := range t.stats {
		sum += value(s)
	}
	t.row(name, func(s stats) string { return command.Grouped(value(s)) }, command.Grouped(sum))
}

// all is a row with a number of all workers alone.
func (t table) all(name string, n int) {
	t.row(name, func(stats) string { return "" }, command.Grouped(n))
}

// table writes the terms of a run: what each worker did, and what has become of the folders.
func (r *report) table(w io.Writer) {
	t, id := table{w, r.stats}, -1
	t.row("locks "+r.locks, func(stats) string { id++; return nameOf(id) }, "all")
	t.row("", func(s stats) string { return s.fault }, "")
	t.operations()
	t.waits()
	t.sum("hand-overs", func(s stats) int { return s.handOvers })
	t.sum("took over", func(s stats) int { return s.tookOver })
	t.sum("late writes refused", stats.lateWrites)
	t.sum("late others refused", func(s stats) int { return s.late - s.lateWrites() })
	t.all("overlaps", r.overlap)
	for _, kind := range job.Kinds {
		noun := " folders"
		if kind == job.Stray {
			noun = " files"
		}
		t.all(string(kind)+noun, count(r.damage, kind))
	}
	t.all("left half written", len(r.pending))
}

// operations tells how the operations of the workers ended.
func (t table) operations() {
	for _, op := range job.Ops() {
		t.sum("  "+op, func(s stats) int { return s.result.Ops[op].Done })
	}
	t.sum("operations done", func(s stats) int { return total(s.result).Done })
	t.sum("  refused", func(s stats) int { return total(s.result).Refused })
	t.sum("  given up", func(s stats) int { return total(s.result).Lost })
	t.sum("  failed", func(s stats) int { return total(s.result).Failed })
	t.sum("  wrong reads", func(s stats) int { return total(s.result).WrongReads })
}

// waits tells how long the workers waited for locks.
func (t table) waits() {
	var all stats
	for _, s := range t.stats {
		all.waits = append(all.waits, s.waits...)
	}
	for _, p := range []struct {
		name     string
		of, less int
	}{{"wait, median", 2, 1}, {"wait, 99th percentile", 100, 99}, {"wait, longest", 1, 1}} {
		value := func(s stats) string { return command.Short(percentile(s.waits, p.less, p.of)) }
		t.row(p.name, value, value(all))
	}
}

// percentile returns the wait at n/of of the sorted waits, the longest at most.
func percentile(waits []time.Duration, n, of int) time.Duration {
	if len(waits) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(waits))
	return sorted[min(len(sorted)*n/of, len(sorted)-1)]
}

func count(damage []job.Damage, kind job.Kind) (n int) {
	for _, d := range damage {
		if d.Kind == kind {
			n++
		}
	}
	return n
}
