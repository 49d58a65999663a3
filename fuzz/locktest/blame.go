package locktest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// blame returns what an error says of who was in the way, nil if it says nothing of that: a lock need not.
func blame(err error) *treelock.BlockedError[path] {
	var blocked *treelock.BlockedError[path]
	errors.As(err, &blocked)
	return blocked
}

// blamesRight reports whether the actor's error, if it says who was in the way, says what is true in w, where its request waits.
// Requests are known by their labels there. The earliest may be others in w than they were: those that do not conflict stand in
// any order there.
func (a *actor) blamesRight(w *world) bool {
	blocked := blame(a.err)
	if blocked == nil {
		return true
	}
	names := w.Blockers(a.name)
	if len(names) == 0 || !blocked.AtLeast && len(blocked.Blockers)+blocked.More != len(names) {
		return false
	}
	for _, b := range blocked.Blockers {
		if b.Label == "" {
			continue // one of a crowd
		}
		if !slices.Contains(names, b.Label) || (b.State == treelock.Holding) != w.Granted(b.Label) || !model.Conflict(model.Of(b.Claim), model.Of(b.Wanted)) {
			return false
		}
	}
	return true
}

// describeBlame names those that were in the way, as far as the error does.
func describeBlame(err error) string {
	blocked := blame(err)
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
