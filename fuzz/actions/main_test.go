package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock/internal/trace"
)

func TestActionThatWasNeverSeenIsMissing(t *testing.T) {
	all := trace.Actions()
	text := ""
	for _, a := range all[1:] {
		text += a.String() + "\n"
	}
	if diff := cmp.Diff(all[:1], missing(text)); diff != "" {
		t.Errorf("missing(all but the first), -want +got:\n%s", diff)
	}
	if got := missing(text + all[0].String() + "\n"); got != nil {
		t.Errorf("missing(all) = %v, want none", got)
	}
}
