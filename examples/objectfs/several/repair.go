package main

import "strings"

// A kind of operation decides how another process ends it.
type kind string

const (
	renames kind = "rename" // copies all, and then deletes: to do it again completes it
	deletes kind = "delete" // to do it again completes it
	makes   kind = "make"   // copies or writes: the rest died with the process, so what there is goes
)

func kindOf(label string) kind {
	switch {
	case strings.HasPrefix(label, "rename "):
		return renames
	case strings.HasPrefix(label, "delete "):
		return deletes
	}
	return makes
}

// ending says what taking over an operation comes to.
func (k kind) ending() string {
	switch k {
	case renames:
		return "completed the rename"
	case deletes:
		return "completed the deletion"
	}
	return "deleted what was written"
}
