//go:build race || treelock_audit

package manager

import (
	"bytes"
	"runtime"
)

// An auditor checks that the state of the manager goroutine is used on that goroutine only, and
// that the invariants of package locktable hold between messages. It is built with the race
// detector, and with the tag treelock_audit: the fuzz targets do more in the same time without the
// detector.
type auditor struct {
	goroutine string
	unaudited int // messages since the last audit
}

// newAuditor returns an auditor for the calling goroutine.
func newAuditor() auditor { return auditor{goroutine: goroutineID()} }

// assertOwner panics if it is not called on the auditor's goroutine.
func (a *auditor) assertOwner() {
	if id := goroutineID(); id != a.goroutine {
		panic("BUG: treelock: state of goroutine " + a.goroutine + " used on goroutine " + id)
	}
}

// A checkedTable is a lock table, of any scope.
type checkedTable interface {
	Check() error
	NodeUses() int
	Nodes() int
}

// audit checks the tables after a message. It skips more messages the larger they are together, so
// that checking takes a bounded share of the time. It checks all of them or none: if each were due
// by its own size, a small one would start the count anew before a large one is ever due.
func (a *auditor) audit(tables ...checkedTable) {
	size := 0
	for _, table := range tables {
		size += table.NodeUses() + table.Nodes()
	}
	a.unaudited++
	if a.unaudited*64 < size {
		return
	}
	a.unaudited = 0
	for _, table := range tables {
		if err := table.Check(); err != nil {
			panic("BUG: treelock: " + err.Error())
		}
	}
}

// auditAll audits the tables of all scopes, and the invariants of scopes. The loop calls it after
// each message: in the middle of a step the invariants need not hold.
func (l *loop[N]) auditAll() {
	tables := []checkedTable{l.table}
	for s := l.inner; s != nil; s = s.next {
		tables = append(tables, s.table)
		// These are the invariants in the comment of scope. They are cheap, so they are checked
		// each time.
		if x := s.owner.Who.extra; x == nil || x.inner != s || s.table.Live() == 0 {
			panic("BUG: treelock: the scope of a grant is empty, or the grant does not know it")
		} else if x.released && s.table.Waiting() > 0 {
			panic("BUG: treelock: a request waits inside a grant that was released")
		}
	}
	l.audit(tables...)
	l.auditSignals()
}

// auditSignals checks the lists of grants that have asked for signals: each grant is held, knows
// its index, and was not told. A grant that a request waits for must have been told in the step in
// which the wait began.
func (l *loop[N]) auditSignals() {
	for kind, asked := range l.asked {
		for i, r := range asked {
			x := r.Who.extra
			if x == nil || x.released || !r.Granted() || x.signals[kind].at != i || isClosed(x.signals[kind].c) {
				panic("BUG: treelock: a signal is to be given to a grant that is over or has got it")
			}
			if kind == wantedSignal && l.waitedFor(r, nil) {
				panic("BUG: treelock: a grant is waited for, and was not told")
			}
		}
	}
}

// goroutineID returns the number of the calling goroutine. Only a stack trace has it, and to make
// one is slow. So production builds do not check.
func goroutineID() string {
	var buf [64]byte
	trace := buf[:runtime.Stack(buf[:], false)] // "goroutine 18 [running]:..."
	return string(bytes.Fields(trace)[1])
}
