package tabletest

import (
	"fmt"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/fuzz/locktest"
	"github.com/treelock/treelock/internal/model"
)

// A Script is a text with steps and, for each, the consequences that the model says. It is a file
// for [locktest.Scenario]. The zero Script is empty. Requests are known by their rank.
type Script struct {
	strings.Builder
	model model.Model[treelock.Path]
	names int
}

// Submit adds the arrival of a request.
func (s *Script) Submit(req treelock.Request[treelock.Path]) {
	s.names++
	name := fmt.Sprint("r", s.names)
	granted := s.model.Submit(name, req)
	fmt.Fprintf(s, "submit %s %s\n----\n", name, locktest.Claims(req))
	if blockers := s.model.Blockers(name); len(blockers) > 0 {
		fmt.Fprintf(s, "%s: waits for %s\n", name, strings.Join(blockers, ", "))
	}
	s.end(granted)
}

// End adds the end of a request.
func (s *Script) End(rank int) {
	name := s.model.Live()[rank]
	if s.model.Granted(name) {
		fmt.Fprintf(s, "release %s\n----\n", name)
	} else {
		fmt.Fprintf(s, "withdraw %s\n----\n%s: withdrawn\n", name, name)
	}
	s.end(s.model.End(name))
}

// Narrow adds a narrowing, which the model may refuse.
func (s *Script) Narrow(rank int, req treelock.Request[treelock.Path]) {
	name := s.model.Live()[rank]
	fmt.Fprintf(s, "narrow %s %s\n----\n", name, locktest.Claims(req))
	granted, ok := s.model.Narrow(name, req)
	if !ok {
		fmt.Fprintf(s, "%s: does not hold that\n", name)
	}
	s.end(granted)
}

// end ends a step.
func (s *Script) end(granted []string) {
	for _, name := range granted {
		fmt.Fprintf(s, "%s: granted\n", name)
	}
	s.WriteString("\n")
}
