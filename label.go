package treelock

import (
	"strings"
	"unicode/utf8"
)

// MaxLabel is how many bytes of a label are kept.
const MaxLabel = 100

// Labeled returns r with a label, which takes the place of an earlier one. It is for people: what a request is for, "rename
// 17" or the number of a trace. It stands wherever the request is named: in errors, snapshots and logs. It may
// be anything; of a long one the first [MaxLabel] bytes are kept. A request with a label costs one small allocation more to acquire.
func (r Request[N]) Labeled(label string) Request[N] {
	if len(label) > MaxLabel {
		end := MaxLabel
		for end > MaxLabel-utf8.UTFMax && !utf8.RuneStart(label[end]) {
			end--
		}
		label = label[:end]
	}
	r.label = strings.Clone(label) // and not in memory what it was cut from
	return r
}

// Label returns the label, "" if there is none.
func (r Request[N]) Label() string { return r.label }
