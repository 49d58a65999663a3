package locktest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// blockedError returns what an error says of the blockers of a request, nil if it says nothing: a
// lock need not.
func blockedError[N treelock.Node[N]](err error) *treelock.BlockedError[N] {
	var blocked *treelock.BlockedError[N]
	errors.As(err, &blocked)
	return blocked
}

// namesBlockers reports whether the blockers in the client's error, if it has any, are blockers in
// w, where its request waits. Requests are known by their labels. The earliest blockers may differ
// in w, where requests that do not conflict are in any order.
func (c *client[N]) namesBlockers(w *model.World[N]) bool {
	blocked := blockedError[N](c.err)
	if blocked == nil {
		return true
	}
	names := w.Blockers(c.name)
	if len(names) == 0 || !blocked.AtLeast && len(blocked.Blockers)+blocked.More != len(names) {
		return false
	}
	for _, b := range blocked.Blockers {
		if b.Label == "" {
			continue // a visitor
		}
		known := slices.Contains(names, b.Label) && (b.State == treelock.Holding) == w.Granted(b.Label)
		if !known || !model.Conflict(model.Of(b.Claim), model.Of(b.Wanted)) {
			return false
		}
	}
	return true
}

// describeBlockers names the blockers, as far as the error does.
func describeBlockers[N treelock.Node[N]](err error) string {
	blocked := blockedError[N](err)
	if blocked == nil {
		return ""
	}
	var names []string
	for _, b := range blocked.Blockers {
		names = append(names, fmt.Sprintf("%s (%v)", b.Label, b.State))
	}
	if blocked.More > 0 {
		names = append(names, fmt.Sprint(blocked.More, " more"))
	}
	return ": blocked by " + strings.Join(names, ", ")
}
