package locktest

import (
	"fmt"

	"github.com/treelock/treelock/internal/model"
)

// old lets a client use the copy of its grant that it got first, from now on, as others may: to
// release, narrow and widen it, for requests inside it and in contexts. It means the same hold.
func (h *harness[N]) old(name string) *command[N] {
	c := h.must(name)
	return &command[N]{steps: func() []model.Step[N] {
		c.usesOld = c.first != nil
		return nil
	}}
}

// held returns the copy of its grant that a client uses, nil if it has none.
func (c *client[N]) held() Grant {
	if c.usesOld {
		return c.first
	}
	return c.grant
}

// checkOldCopies checks that the token of the first copy of each grant is what it was.
func (h *harness[N]) checkOldCopies() error {
	seen := map[*client[N]]bool{}
	for _, g := range h.grants {
		if first, ok := g.by.first.(tokener); ok && !seen[g.by] && first.Token() != g.token {
			return fmt.Errorf("I7: the first copy of %s has token %d, and had %d", g.by.name, first.Token(), g.token)
		}
		seen[g.by] = true
	}
	return nil
}
