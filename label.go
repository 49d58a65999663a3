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
	queue uint // one more than the n of Queue; 0 means no limit
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
	n := r.notes()
	n.label = strings.Clone(label)
	return r.noted(n)
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
func (r Request[N]) Tagged(tag any) Request[N] {
	n := r.notes()
	n.tag = tag
	return r.noted(n)
}

// Tag returns the tag, nil if there is none.
func (r Request[N]) Tag() any {
	if r.note == nil {
		return nil
	}
	return r.note.tag
}

// Queue returns r with a limit, which takes the place of an earlier one: the request fails at once
// with [ErrBusy] if it would be more than the n-th waiter at one of its nodes. Its nodes are those
// that it claims and all above them, as a request waits at the node where it meets another one. So
// with Queue(0) the request never waits, and with Queue(1) it waits only where no other one does. A
// negative n means no limit.
//
// The requests that wait there already may have other limits: each request looks at its own, when
// it arrives. It costs one small allocation, and for a request that must wait, up to n+1 steps for
// each node where it waits.
func (r Request[N]) Queue(n int) Request[N] {
	noted := r.notes()
	noted.queue = 0
	if n >= 0 {
		noted.queue = uint(n) + 1
	}
	return r.noted(noted)
}

// QueueLimit returns the n of Queue, or -1 if there is no limit.
func (r Request[N]) QueueLimit() int {
	if r.note == nil {
		return -1
	}
	return int(r.note.queue - 1)
}

// notes returns a copy of the note, which is empty if there is none.
func (r Request[N]) notes() note {
	if r.note == nil {
		return note{}
	}
	return *r.note
}

// Annotated reports whether r has a label, a tag or a limit of its own on queues.
func (r *Request[N]) Annotated() bool { return r.note != nil }

// noted returns r with this note.
func (r Request[N]) noted(n note) Request[N] {
	r.note = nil
	if n.label != "" || n.tag != nil || n.queue != 0 {
		r.note = &n
	}
	return r
}
