package locktest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/treelock/treelock"
)

// parse reads claims such as "read /a /b write /c".
func (s *stage) parse(words []string) (req request) {
	verb := "nothing"
	for _, word := range words {
		switch p := path(word); {
		case word == "nothing" || claimVerb(word):
			verb = word
		case verb == "read":
			req = req.Read(p)
		case verb == "write":
			req = req.Write(p)
		case verb == "read-node":
			req = req.ReadNode(p)
		case verb == "write-node":
			req = req.WriteNode(p)
		default:
			s.t.Fatalf("%q: what should be done with %s?", words, word)
		}
	}
	return req
}

func claimVerb(word string) bool {
	return word == "read" || word == "write" || word == "read-node" || word == "write-node"
}

// Claims returns the words for req in scenario files, such as "read /a write-node /b".
func Claims(req treelock.Request[treelock.Path]) string {
	words := []string{"nothing"}
	for c := range req.Claims() {
		words = append(words, c.Verb(), string(c.Node))
	}
	if len(words) > 1 {
		words = words[1:]
	}
	return strings.Join(words, " ")
}

// describe says in a few words what an error means.
func describe(err error) string {
	for _, known := range []struct {
		err  error
		text string
	}{
		{treelock.ErrStopped, "stopped"},
		{treelock.ErrConflict, "refused, would have to wait"},
		{treelock.ErrBusy, "refused, too many wait"},
		{treelock.ErrDraining, "refused, draining"},
		{treelock.ErrWithdrawn, "withdrawn"},
		{treelock.ErrNotHeld, "does not hold that"},
		{treelock.ErrTooDeep, "refused, too deep"},
		{context.Canceled, "gave up"},
		{context.DeadlineExceeded, "ran out of time"},
	} {
		if errors.Is(err, known.err) {
			return known.text + describeBlame(err)
		}
	}
	return fmt.Sprint(err)
}
