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

// SubmitUnder adds the arrival of a request whose caller holds the request of a rank meanwhile.
func (s *Script) SubmitUnder(rank int, req treelock.Request[treelock.Path]) {
	s.names++
	grant, name := s.model.Live()[rank], fmt.Sprint("r", s.names)
	granted := s.model.SubmitUnder(grant, name, req)
	fmt.Fprintf(s, "submit-under %s %s %s\n----\n", grant, name, locktest.Claims(req))
	s.waits(name, name)
	s.end(granted)
}

// Widen adds a widening of the request of a rank. If it waits it has the name of the request and a
// plus sign.
func (s *Script) Widen(rank int, req treelock.Request[treelock.Path]) {
	name := s.model.Live()[rank]
	fmt.Fprintf(s, "widen %s %s\n----\n", name, locktest.Claims(req))
	granted, waits := s.model.Widen(name, name+"+", req)
	if waits {
		s.waits(name, name+"+")
	} else if len(granted) == 0 {
		fmt.Fprintf(s, "%s: holds that\n", name)
	}
	s.end(granted)
}

// waits adds what a new request waits for, or that it is refused because it closes a circle.
func (s *Script) waits(who, name string) {
	if blockers := s.model.Blockers(name); len(blockers) > 0 && !s.model.Granted(name) {
		fmt.Fprintf(s, "%s: waits for %s\n", who, strings.Join(blockers, ", "))
	}
	if s.model.OnCircle(name) {
		fmt.Fprintf(s, "%s: refused\n", who)
		s.model.End(name)
	}
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
