package exhaustive_test

import (
	"bytes"
	"slices"

	"github.com/treelock/treelock/fuzz/tabletest"
	"github.com/treelock/treelock/internal/locktable"
)

// A table is a real table and the rule, in one world, and the steps that they took.
type table struct {
	*tabletest.Harness[int, asker]
	w       *world
	maxIdle int
	log     []step

	other []byte // storage
}

func newTable(w *world, maxIdle int) *table {
	claimOf := func(u locktable.Used[int]) asker { return w.ofClaim[u] }
	return &table{Harness: tabletest.New(maxIdle, w.order(), claimOf), w: w, maxIdle: maxIdle}
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
	for live := t.Rule.Live(); live > 0; live-- {
		if err := t.play(step{verb: end, rank: uint8(luck % live)}); err != nil {
			return err
		}
		luck /= 2
	}
	return nil
}

// appendKey appends to key what identifies the state: the forms of the live requests by arrival, and all entries
// of the queues. Of the images of the state under the symmetries of the tree, it takes the least.
func (t *table) appendKey(key []byte) []byte {
	for i := range t.w.symmetries {
		s := &t.w.symmetries[i]
		if i > 0 && t.compareForms(s, key) > 0 {
			continue
		}
		t.other = t.appendForms(t.other[:0], s)
		t.other = t.AppendEntries(t.other, s.from)
		if i == 0 || bytes.Compare(t.other, key) < 0 {
			key = append(key[:0], t.other...)
		}
	}
	return key
}

// appendForms appends the number of live requests, and the images of the forms of the live requests.
func (t *table) appendForms(key []byte, s *symmetry) []byte {
	key = append(key, byte(t.Rule.Live()))
	for rank := range t.Rule.Live() {
		form := s.forms[t.Rule.Request(rank).form]
		key = append(key, byte(form>>8), byte(form))
	}
	return key
}

// compareForms compares the result of appendForms with the beginning of key.
func (t *table) compareForms(s *symmetry, key []byte) int {
	for rank := range t.Rule.Live() {
		if c := int(s.forms[t.Rule.Request(rank).form]) - int(key[2*rank+1])<<8 - int(key[2*rank+2]); c != 0 {
			return c
		}
	}
	return 0
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
		}
	}
	return s.String()
}

// doing returns the steps that the workers take, as scenarios.
func (s *search) doing() (all string) {
	for _, w := range s.workers {
		all += s.w.script(append(slices.Clip(s.way(int(w.from.Load()))), unpack(w.step.Load())))
	}
	return all
}
