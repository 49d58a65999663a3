package exhaustive_test

import (
	"cmp"
	"slices"
)

// A step is what a client does. end is a release or a withdrawal, whichever it is for.
type step struct {
	verb     verb
	rank     uint8  // of the request, for end and narrow
	spelling uint16 // for submit and narrow
}

type verb uint8

const (
	submit verb = iota
	end
	narrow
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
func episodes(steps []step) (all [][]step) {
	live, start := 0, 0
	for i, s := range steps {
		switch s.verb {
		case submit:
			live++
		case end:
			live--
		}
		if live == 0 || i == len(steps)-1 {
			all = append(all, steps[start:i+1])
			start = i + 1
		}
	}
	return all
}
