package treelock

import (
	"strings"
	"unicode/utf8"
)

// MaxLabel is how many bytes of a label are kept.
const MaxLabel = 100

// A note is what a program says of a request besides its claims. It is behind a pointer, since most
// requests have none and requests are copied often.
type note struct {
	label string
	tag   any
}

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
	// The clone lets the string that label was cut from be freed.
	return r.noted(strings.Clone(label), r.Tag())
}

// Label returns the label, "" if there is none.
func (r Request[N]) Label() string {
	if r.note == nil {
		return ""
	}
	return r.note.label
}

// Tagged returns r with a tag, which takes the place of an earlier one; nil takes it away. It is
// for programs: a value of their own, such as the job that the request is made for. No code of
// treelock looks at it: it is not compared, formatted or copied deeply. It stays in memory for as
// long as the request does. Programs that read it on several goroutines must see to it that this is
// safe. It costs one small allocation.
func (r Request[N]) Tagged(tag any) Request[N] { return r.noted(r.Label(), tag) }

// Tag returns the tag, nil if there is none.
func (r Request[N]) Tag() any {
	if r.note == nil {
		return nil
	}
	return r.note.tag
}

// noted returns r with this label and this tag.
func (r Request[N]) noted(label string, tag any) Request[N] {
	r.note = nil
	if label != "" || tag != nil {
		r.note = &note{label, tag}
	}
	return r
}
