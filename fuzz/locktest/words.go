package locktest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/treelock/treelock"
)

// parse reads claims such as "read /a /b write /c". It also returns the kinds of the nodes that are
// not ordinary.
func (h *harness[N]) parse(words []string) (req treelock.Request[N], kinds []*nodeKind) {
	verb := ""
	for _, word := range words {
		switch word {
		case "nothing", "read", "write", "read-node", "write-node":
			verb = word
			continue
		}
		node, kind := h.tree.parse(word)
		if kind != nil {
			kinds = append(kinds, kind)
		}
		switch verb {
		case "read":
			req = req.Read(node)
		case "write":
			req = req.Write(node)
		case "read-node":
			req = req.ReadNode(node)
		case "write-node":
			req = req.WriteNode(node)
		default:
			h.t.Fatalf("%q: there is no verb for %s", words, word)
		}
	}
	return req, kinds
}

// Claims returns the words for req in scenario files, such as "read /a write-node /b".
func Claims(req treelock.Request[treelock.Path]) string {
	if req.Len() == 0 {
		return "nothing"
	}
	var words []string
	for c := range req.Claims() {
		words = append(words, c.Verb(), string(c.Node))
	}
	return strings.Join(words, " ")
}

// outcomes are the errors that a client may be told, in few words. Of an error that is several of
// these, the first counts.
var outcomes = []struct {
	err  error
	text string
}{
	{treelock.ErrStopped, "stopped"},
	{treelock.ErrLost, "lost"},
	{treelock.ErrDeadlock, "refused, deadlock"},
	{treelock.ErrReleased, "released"},
	{treelock.ErrWidening, "refused, widening"},
	{treelock.ErrConflict, "refused, would have to wait"},
	{treelock.ErrBusy, "refused, too many wait"},
	{treelock.ErrDraining, "refused, draining"},
	{treelock.ErrSuspended, "refused, suspended"},
	{treelock.ErrTooWide, "refused, too wide"},
	{treelock.ErrWithdrawn, "withdrawn"},
	{treelock.ErrNotHeld, "does not hold that"},
	{treelock.ErrTooDeep, "refused, too deep"},
	{treelock.ErrIncomparable, "refused, incomparable"},
	{context.Canceled, "canceled"},
	{context.DeadlineExceeded, "timed out"},
	{errOdd, "canceled"},
}

// describe says in a few words what an error means.
func describe[N treelock.Node[N]](err error) string {
	for _, known := range outcomes {
		if errors.Is(err, known.err) {
			return known.text + describeSuspension(err) + describeCause(err) + describeBlockers[N](err) + describeCircle[N](err)
		}
	}
	return fmt.Sprint(err)
}
