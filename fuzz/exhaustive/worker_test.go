package exhaustive_test

import (
	"fmt"

	"github.com/treelock/treelock/internal/model"
)

// A worker visits some of the states of a level.
type worker struct {
	*search
	table   *table
	found   map[string]state // by key, the states that are not in seen
	failure *failure         // the shortest, nil if none is known
	key     []byte           // storage
}

// chunk is how many states are visited with one table before it is replaced. So most visits find a
// table with a past: idle nodes, cleared storage, guesses where a parent is.
const chunk = 32

// maxIdles are the numbers of idle nodes that tables may keep, in turn: the storage of a node is
// cleared at once, later or never.
var maxIdles = [...]int{0, 1, 2, 100}

// work visits states as long as the level has some.
func (w *worker) work() {
	for !w.stop.Load() {
		first := int(w.next.Add(chunk)) - chunk
		end := min(first+chunk, w.end)
		if first >= end {
			return
		}
		w.table = newTable(w.w, maxIdles[first/chunk%len(maxIdles)])
		for i := first; i < end; i++ {
			w.visit(i)
		}
	}
}

// visit takes all steps from a state, each of them in a table that was brought there anew: none can
// be taken back.
func (w *worker) visit(i int) {
	way := w.way(i)
	r := w.w.rule(way)
	steps := int64(0)
	w.w.eachStep(&r, func(s step) {
		steps++
		w.check(w.try(state{int32(i), s}, way))
	})
	if freeClients(w.w, &r) > 0 {
		refused, err := w.refuse(way, &r)
		w.check(err)
		steps += refused
	}
	w.steps.Add(steps)
}

// try takes the step to a state, where way leads to its parent, and then ends all that is live. It
// returns an error for any difference between the table and the rule.
func (w *worker) try(s state, way []step) (err error) {
	defer recovered(&err)
	if err := w.table.playAll(way); err != nil {
		return err
	}
	if err := w.table.playAndCheck(s.step); err != nil {
		return err
	}
	luck := int(s.step.spelling) + int(s.parent)
	w.key = w.table.appendKey(w.key[:0])
	w.find(s)
	return w.table.endAll(luck)
}

// find keeps the way to a state, which has the key w.key, if there is no shorter one.
func (w *worker) find(s state) {
	if _, ok := w.seen[string(w.key)]; ok {
		return
	}
	if before, ok := w.found[string(w.key)]; !ok || s.compare(before) < 0 {
		w.found[string(w.key)] = s
	}
}

// refuse tries all narrowings that must be refused in the state that way leads to.
func (w *worker) refuse(way []step, r *model.Rule[asker]) (refused int64, err error) {
	defer recovered(&err)
	if err := w.table.playAll(way); err != nil {
		return 0, err
	}
	for rank := range r.Live() {
		for i := range w.w.spellings {
			if !r.Granted(rank) || r.Widening(rank) >= 0 || w.w.spellings[i].Rule.Inside(r.Request(rank)) {
				continue
			}
			refused++
			if err := w.table.play(step{verb: narrow, rank: uint8(rank), spelling: uint16(i)}); err != nil {
				return refused, err
			}
		}
	}
	if err := w.table.Check(); err != nil {
		return refused, err
	}
	return refused, w.table.endAll(0)
}

// recovered makes an error of a panic.
func recovered(err *error) {
	if e := recover(); e != nil {
		*err = fmt.Errorf("panic: %v", e)
	}
}

// check keeps err, if it is not nil, and then goes on with a new table. If the failure is of least
// depth, the states that no worker has taken yet need not be visited.
func (w *worker) check(err error) {
	if err == nil {
		return
	}
	f := newFailure(w.table, err)
	if len(f.steps) <= w.depth+1 {
		w.stop.Store(true)
	}
	w.failure = shorter(w.failure, f)
	w.table = newTable(w.w, w.table.maxIdle)
}
