package exhaustive_test

import (
	"fmt"
	"strings"

	"github.com/treelock/treelock/fuzz/locktest"
	"github.com/treelock/treelock/internal/model"
)

// A scenario is a text with steps and, for each, the consequences that the model says. It is a file for
// [locktest.Scenario].
type scenario struct {
	strings.Builder
	w     *world
	model model.Model[path]
	names int
}

// add adds steps.
func (s *scenario) add(steps []step) {
	for _, step := range steps {
		switch req := s.w.spellings[step.spelling].req; step.verb {
		case submit:
			s.submit(req)
		case end:
			s.end(s.model.Live()[step.rank])
		case narrow:
			s.narrow(s.model.Live()[step.rank], req)
		}
		s.WriteString("\n")
	}
}

func (s *scenario) submit(req asked) {
	s.names++
	name := fmt.Sprint("r", s.names)
	granted := s.model.Submit(name, req)
	s.command("submit", name, locktest.Claims(req))
	if blockers := s.model.Blockers(name); len(blockers) > 0 {
		s.tell(name, "waits for "+strings.Join(blockers, ", "))
	}
	s.tellGranted(granted)
}

func (s *scenario) end(name string) {
	if s.model.Granted(name) {
		s.command("release", name)
	} else {
		s.command("withdraw", name)
		s.tell(name, "withdrawn")
	}
	s.tellGranted(s.model.End(name))
}

func (s *scenario) narrow(name string, req asked) {
	s.command("narrow", name, locktest.Claims(req))
	granted, ok := s.model.Narrow(name, req)
	if !ok {
		s.tell(name, "does not hold that")
	}
	s.tellGranted(granted)
}

func (s *scenario) command(words ...string) {
	fmt.Fprintf(s, "%s\n----\n", strings.Join(words, " "))
}

func (s *scenario) tell(name, what string) { fmt.Fprintf(s, "%s: %s\n", name, what) }

func (s *scenario) tellGranted(names []string) {
	for _, name := range names {
		s.tell(name, "granted")
	}
}
