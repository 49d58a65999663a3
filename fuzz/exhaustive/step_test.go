package exhaustive_test

import (
	"cmp"
	"slices"

	"github.com/treelock/treelock/internal/model"
)

// A step is what a client does. end is a release or a withdrawal, whichever it is for. A widening
// and a request under a grant that would close a circle are refused.
type step struct {
	verb     verb
	rank     uint8  // of the request, except for submit
	spelling uint16 // except for end
}

type verb uint8

const (
	submit verb = iota
	end
	narrow
	widen
	submitUnder
)

// compare orders steps as they are tried: requests with fewer claims come first.
func (s step) compare(other step) int {
	return cmp.Or(cmp.Compare(s.verb, other.verb), cmp.Compare(s.rank, other.rank), cmp.Compare(s.spelling, other.spelling))
}

// compareWays orders sequences of steps, shorter ones first.
func compareWays(a, b []step) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), slices.CompareFunc(a, b, step.compare))
}

// episodes cuts steps after each that leaves nothing live.
func (w *world) episodes(steps []step) (all [][]step) {
	var r model.Rule[asker]
	start := 0
	for i, s := range steps {
		if w.step(&r, s); r.Live() == 0 || i == len(steps)-1 {
			all = append(all, steps[start:i+1])
			start = i + 1
		}
	}
	return all
}
