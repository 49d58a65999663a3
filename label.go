package treelock

import (
	"strings"
	"unicode/utf8"
)

// MaxLabel is how many bytes of a label are kept.
const MaxLabel = 100

// Labeled returns r with a label, which takes the place of an earlier one. It is for people: what a
// request is for, "rename 17" or the number of a trace. It may be anything, and is shown wherever
// the request is named: in errors, snapshots and logs. Of a label of more than [MaxLabel] bytes the
// beginning is kept, cut between characters. To acquire a request with a label costs one small
// allocation more.
func (r Request[N]) Labeled(label string) Request[N] {
	if len(label) > MaxLabel {
		end := MaxLabel
		for end > MaxLabel-utf8.UTFMax && !utf8.RuneStart(label[end]) {
			end--
		}
		label = label[:end]
	}
	r.label = strings.Clone(label) // so that the string that label was cut from can be freed
	return r
}

// Label returns the label, "" if there is none.
func (r Request[N]) Label() string { return r.label }
