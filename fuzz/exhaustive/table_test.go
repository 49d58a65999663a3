package exhaustive_test

import (
	"github.com/treelock/treelock/fuzz/tabletest"
	"github.com/treelock/treelock/internal/locktable"
)

// A table is a real table and the rule, in one world, and the steps that they took.
type table struct {
	*tabletest.Harness[int, asker]
	w       *world
	maxIdle int
	log     []step
}

func newTable(w *world, maxIdle int) *table {
	claimOf := func(u locktable.NodeMode[int]) asker { return w.ofClaim[u] }
	return &table{Harness: tabletest.New(maxIdle, nil, w.order, claimOf), w: w, maxIdle: maxIdle}
}

// play takes a step and returns an error if the table does not do what the rule says.
func (t *table) play(s step) (err error) {
	t.log = append(t.log, s)
	switch s.verb {
	case submit:
		err = t.Submit(len(t.log), t.w.spellings[s.spelling].Request)
	case end:
		_, err = t.End(int(s.rank))
	case narrow:
		_, err = t.Narrow(int(s.rank), t.w.spellings[s.spelling].Request)
	case widen:
		_, err = t.Widen(int(s.rank), len(t.log), t.w.spellings[s.spelling].Request)
	case submitUnder:
		_, err = t.SubmitUnder(int(s.rank), len(t.log), t.w.spellings[s.spelling].Request)
	}
	return err
}

// playAll takes steps, and stops at the first error.
func (t *table) playAll(steps []step) error {
	for _, s := range steps {
		if err := t.play(s); err != nil {
			return err
		}
	}
	return nil
}

// playAndCheck takes a step and checks everything.
func (t *table) playAndCheck(s step) error {
	if err := t.play(s); err != nil {
		return err
	}
	return t.Check()
}

// endAll ends all requests, in an order that depends on luck.
func (t *table) endAll(luck int) error {
	for t.Rule.Live() > 0 {
		if err := t.play(step{verb: end, rank: uint8(luck % t.Rule.Live())}); err != nil {
			return err
		}
		luck /= 2
	}
	return nil
}

// appendKey appends to key what identifies the state: the number of live requests, what they ask
// for or hold, by arrival, what they widen and under what they were made, and all entries of the
// queues.
func (t *table) appendKey(key []byte) []byte {
	key = append(key, byte(t.Rule.Live()))
	for rank := range t.Rule.Live() {
		key = t.Rule.Request(rank).appendKey(key)
		if t.w.widens {
			key = append(key, byte(t.Rule.Widens(rank)+1)<<4|byte(t.under(rank)+1))
		}
	}
	return t.AppendEntries(key, t.w.order)
}

// under returns the rank of the grant under which the request of a rank waits, or -1.
func (t *table) under(rank int) int {
	if t.Rule.Granted(rank) {
		return -1
	}
	return t.Rule.Under(rank)
}

// script returns steps as a scenario file.
func (w *world) script(steps []step) string {
	var s tabletest.Script
	for _, step := range steps {
		switch req := w.spellings[step.spelling].req; step.verb {
		case submit:
			s.Submit(req)
		case end:
			s.End(int(step.rank))
		case narrow:
			s.Narrow(int(step.rank), req)
		case widen:
			s.Widen(int(step.rank), req)
		case submitUnder:
			s.SubmitUnder(int(step.rank), req)
		}
	}
	return s.String()
}
