package clustertest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager/cluster/clustertest"
)

func TestTraceCheckerFindsWhatIsWrong(t *testing.T) {
	write, read := treelock.Write("/a"), treelock.Read("/a/b")
	readNode, writeBelow := treelock.ReadNode("/a"), treelock.Write("/a/b")
	span := func(worker string, token uint64, req treelock.Request[treelock.Path], from, to time.Duration) clustertest.Span {
		return clustertest.Span{Worker: worker, Token: token, Claims: slices.Collect(req.Claims()), From: from, To: to}
	}
	for _, tt := range []struct {
		name  string
		spans []clustertest.Span
		wrong bool
	}{
		{"one after the other", []clustertest.Span{span("1", 1, write, 1, 2), span("2", 2, read, 3, 4)}, false},
		{"both at once", []clustertest.Span{span("1", 1, write, 1, 4), span("2", 2, read, 3, 5)}, true},
		{"the later token first", []clustertest.Span{span("1", 2, write, 1, 2), span("2", 1, read, 3, 4)}, true},
		{"a write below a read", []clustertest.Span{span("1", 1, read, 1, 4), span("2", 2, write, 3, 5)}, true},
		{"two reads", []clustertest.Span{span("1", 1, read, 1, 4), span("2", 2, read, 3, 5)}, false},
		{"a node and what is below", []clustertest.Span{span("1", 1, readNode, 1, 4), span("2", 2, writeBelow, 3, 5)}, false},
		{"a node and a subtree", []clustertest.Span{span("1", 1, readNode, 1, 4), span("2", 2, write, 3, 5)}, true},
		{"narrowed", []clustertest.Span{span("1", 1, write, 1, 3), span("1", 1, read, 3, 9), span("2", 2, readNode, 4, 5)}, false},
		{"one token twice", []clustertest.Span{span("1", 1, read, 1, 2), span("2", 1, read, 3, 5)}, true},
	} {
		if wrong := clustertest.Check(tt.spans); (len(wrong) > 0) != tt.wrong {
			t.Errorf("%s: %q, want something wrong: %v", tt.name, wrong, tt.wrong)
		}
	}
}

func TestSpanOfAStoppedWorkerEndsWhenItStops(t *testing.T) {
	events := []clustertest.Event{
		{Kind: clustertest.Granted, Number: 1, At: 10, Token: 7},
		{Kind: clustertest.Granted, Number: 3, At: 30, Token: 6}, // with a message from before the pause
		{Kind: clustertest.Ended, Number: 3, At: 85, Token: 6},
		{Kind: clustertest.Ended, Number: 1, At: 90, Token: 7},
		{Kind: clustertest.Granted, Number: 2, At: 91, Token: 8},
	}
	got := clustertest.Spans("w", events, []clustertest.Pause{{From: 20, To: 80}})
	if len(got) != 2 || got[0].To != 20 || got[1].To != clustertest.Forever {
		t.Errorf("spans %v, want the first until 20 and the second without an end", got)
	}
}
