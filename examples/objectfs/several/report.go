package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/treelock/treelock/examples/objectfs/command"
	"github.com/treelock/treelock/examples/objectfs/job"
)

// So many damaged folders are named, and so many failures of each process.
const (
	shown         = 10
	shownFailures = 1
)

// A report is what the parent tells at the end.
type report struct {
	locks   string
	folders int
	stats   []stats
	left    []*leftover
	overlap int
	start   time.Time
	stopped bool // by an interrupt

	damage  []job.Damage // of folders that no process has left half done
	pending []job.Damage // of those that one has left, and that none has taken over
}

func newReport(c config, s *service, folders int, damage []job.Damage) *report {
	r := &report{locks: c.locks, folders: folders, stats: s.stats, left: s.left, overlap: s.overlap, start: s.start}
	if s.guarded {
		r.overlap = r.unexplained()
	}
	for _, d := range damage {
		if c.locks == locksCluster && slices.ContainsFunc(s.left, func(l *leftover) bool { return l.taker < 0 && l.was(d.Folder) }) {
			r.pending = append(r.pending, d)
		} else {
			r.damage = append(r.damage, d)
		}
	}
	return r
}

// unexplained returns how often the tokens show that a process was in a folder of another one that
// was neither killed, nor stopped, nor has noticed the loss of its lease.
func (r *report) unexplained() (n int) {
	for id, s := range r.stats {
		if s.fault != "" || total(s.result).Lost > 0 {
			continue
		}
		n += s.late
		for _, l := range r.left {
			if l.worker == id && l.taker >= 0 {
				n++
			}
		}
	}
	return n
}

// was reports whether l was writing folder.
func (l *leftover) was(folder string) bool {
	return slices.ContainsFunc(l.writes, func(key string) bool { return lies(folder, key) })
}

func (r *report) total() (sum job.Count) {
	for _, w := range r.stats {
		c := total(w.result)
		sum.Done += c.Done
		sum.Refused += c.Refused
		sum.Lost += c.Lost
		sum.Failed += c.Failed
		sum.WrongReads += c.WrongReads
	}
	return sum
}

// sound reports whether every operation ended as it must, and every folder holds what it must.
func (r *report) sound() bool { return len(r.damage) == 0 && r.total().Failed == 0 && r.overlap == 0 }

// verdict says in words how the run went.
func (r *report) verdict() string {
	word, sum := "OK", r.total()
	folders := fmt.Sprintf("all %d folders verified intact", r.folders)
	if n := len(r.pending); n > 0 {
		folders = fmt.Sprintf("%d folders verified intact, %d half written by a process that is gone", r.folders-n, n)
	}
	if len(r.damage) > 0 {
		strays := count(r.damage, job.Stray)
		folders = fmt.Sprintf("%d of %d folders damaged, %d stray files", len(r.damage)-strays, r.folders, strays)
	}
	if r.stopped {
		word = "STOPPED"
	}
	if !r.sound() {
		word = "FAILED"
		if r.locks == locksLocal {
			word = "FAILED, as each process has locks of its own"
		}
	}
	return fmt.Sprintf("%s: %s operations of %d processes, %s failed, %s", word,
		command.Grouped(sum.Done+sum.Refused+sum.Lost+sum.Failed), len(r.stats), command.Grouped(sum.Failed), folders)
}

func (r *report) write(out io.Writer) {
	w := new(strings.Builder)
	defer func() { io.WriteString(out, strings.ReplaceAll(w.String(), folders+"/", "")) }()
	fmt.Fprintf(w, "\n%s\n", r.verdict())
	for id, s := range r.stats {
		r.story(w, id, s)
	}
	fmt.Fprintln(w)
	r.table(w)
	fmt.Fprint(w, terms)
	r.faults(w)
}

// story tells what was done to a worker and what came of it.
func (r *report) story(w io.Writer, id int, s stats) {
	var left []*leftover
	for _, l := range r.left {
		if l.worker == id {
			left = append(left, l)
		}
	}
	lost := total(s.result).Lost
	switch s.fault {
	case "killed":
		fmt.Fprintf(w, "%s was killed with -9 after %.1f s", nameOf(id), s.faultAt.Sub(r.start).Seconds())
	case "stopped":
		fmt.Fprintf(w, "%s was stopped after %.1f s, and went on after %v", nameOf(id), s.faultAt.Sub(r.start).Seconds(), command.Short(s.faultFor))
		if r.locks == locksCluster {
			fmt.Fprintf(w, ", with a lease of %v", ttl)
		}
	default:
		if len(left) == 0 && lost == 0 {
			return
		}
		fmt.Fprintf(w, "%s lost its lease, as it was slow", nameOf(id))
	}
	if lost > 0 {
		fmt.Fprintf(w, "; it gave up %d operations", lost)
	}
	fmt.Fprintf(w, "; it left %d half done\n", len(left))
	for _, l := range left {
		fmt.Fprintf(w, "    %s, %d objects written or deleted: %s\n", l.label, l.changed, r.fate(l))
	}
	if s.late > 0 {
		fmt.Fprintf(w, "    the store refused %d late writes and %d other late calls by their tokens\n", s.lateWrites(), s.late-s.lateWrites())
	}
}

// lateWrites returns how many of the late calls were to change an object.
func (s stats) lateWrites() int {
	return s.lateTo[string(write)] + s.lateTo[string(copies)] + s.lateTo[string(remove)]
}

// fate says what has become of an operation that was left half done.
func (r *report) fate(l *leftover) string {
	switch {
	case l.taker < 0 && r.locks == locksLocal:
		return "no other process knows"
	case l.taker < 0:
		return "no process has come by"
	case l.after == 0:
		return fmt.Sprintf("%s took over, and %s", nameOf(l.taker), kindOf(l.label).ending())
	}
	return fmt.Sprintf("%s took over %.1f s later, and %s", nameOf(l.taker), l.after.Seconds(), kindOf(l.label).ending())
}

// faults names some of the failed operations, and damaged folders.
func (r *report) faults(w io.Writer) {
	for id, s := range r.stats {
		for _, text := range s.result.Errors[:min(len(s.result.Errors), shownFailures)] {
			fmt.Fprintf(w, "%s: failed: %s\n", nameOf(id), text)
		}
		if more := total(s.result).Failed - shownFailures; more > 0 {
			fmt.Fprintf(w, "%s: failed: %s more\n", nameOf(id), command.Grouped(more))
		}
	}
	for _, d := range r.damage[:min(len(r.damage), shown)] {
		fmt.Fprintf(w, "damaged: %s\n", d)
	}
	if more := len(r.damage) - shown; more > 0 {
		fmt.Fprintf(w, "damaged: %d more\n", more)
	}
	for _, d := range r.pending {
		who := cmp.Or(r.writer(d.Folder), "a process")
		fmt.Fprintf(w, "left by %s: %s\n", who, d)
	}
}

// writer returns which process was writing folder and left it.
func (r *report) writer(folder string) string {
	for _, l := range r.left {
		if l.taker < 0 && l.was(folder) {
			return nameOf(l.worker)
		}
	}
	return ""
}
