package waitqueue_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock/waitqueue"
)

func TestRivalsAreWhoWouldBeHeldBackAndWhoWaitsFirst(t *testing.T) {
	var q waitqueue.Queue[string]
	arrive := func(name string, seq uint64, mode waitqueue.Mode) {
		q.Arrive(new(waitqueue.Entry[string]), name, seq, mode)
	}
	arrive("own", 3, waitqueue.TR)
	arrive("reader 1", 4, waitqueue.TR)
	arrive("reader 2", 5, waitqueue.IR)
	arrive("writer 1", 6, waitqueue.NW)
	arrive("writer 2", 7, waitqueue.NW)
	arrive("reader 3", 8, waitqueue.TR)
	arrive("reader 4", 9, waitqueue.TR)
	for _, tt := range []struct {
		mode waitqueue.Mode
		want []string
	}{
		{waitqueue.TW, []string{"reader 2", "writer 1", "reader 1", "reader 3"}},
		{waitqueue.IW, []string{"reader 1", "reader 3"}},
		{waitqueue.NR, []string{"writer 1"}},
		{waitqueue.IR, nil},
	} {
		var got []string
		for e := range q.Rivals(3, tt.mode) {
			got = append(got, e.Request())
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("Rivals(3, %v), -want +got:\n%s", tt.mode, diff)
		}
	}
	for range q.Rivals(3, waitqueue.TW) {
		break // which is allowed
	}
	if first := slices.Collect(q.Rivals(4, waitqueue.IW))[0].Request(); first != "own" {
		t.Errorf("the first rival of 4 is %s, want own", first)
	}
}

func TestClearLetsGoOfAllEntries(t *testing.T) {
	var q waitqueue.Queue[string]
	entries := make([]waitqueue.Entry[string], 5)
	for i := range entries {
		q.Arrive(&entries[i], "request", uint64(i+1), []waitqueue.Mode{waitqueue.TR, waitqueue.NW}[i%2])
	}
	q.Clear()
	if !q.Empty() || q.Check() != nil {
		t.Errorf("Empty() = %t, Check() = %v, want true and nil", q.Empty(), q.Check())
	}
	for i := range entries {
		if entries[i] != (waitqueue.Entry[string]{}) {
			t.Errorf("entry %d is %+v, want the zero Entry", i, entries[i])
		}
	}
}
