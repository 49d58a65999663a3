package model_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// Everything else is compared with the model, so these cases are worked out by hand from the text
// of the rule.

func TestRequestsConflictIfTheyShareANodeAndOneWrites(t *testing.T) {
	for _, tt := range []struct {
		a, b treelock.Request[treelock.Path]
		want bool
	}{
		{treelock.Read("/a"), treelock.Read("/a"), false},
		{treelock.Read("/a"), treelock.Write("/a"), true},
		{treelock.Read("/a"), treelock.Write("/a/b"), true},
		{treelock.Read("/a/b"), treelock.Write("/a"), true},
		{treelock.Read("/a"), treelock.Write("/ab"), false},
		{treelock.Write("/a/b"), treelock.Write("/a/c"), false},
		{treelock.Write("/"), treelock.ReadNode("/x/y"), true},
		{treelock.ReadNode("/a"), treelock.Write("/a/b"), false},
		{treelock.ReadNode("/a"), treelock.WriteNode("/a"), true},
		{treelock.WriteNode("/a"), treelock.Read("/"), true},
		{treelock.WriteNode("/"), treelock.Write("/a"), false},
		{treelock.WriteNode("/a"), treelock.WriteNode("/a/b"), false},
		{treelock.Read("/x").Write("/y"), treelock.Read("/x").Read("/y/z"), true},
		{treelock.Read("/").Write("/a/b"), treelock.Read("/"), true},
		{treelock.Request[treelock.Path]{}, treelock.Write("/"), false},
	} {
		if got := model.Conflict(tt.a, tt.b); got != tt.want {
			t.Errorf("Conflict(%v; %v) = %t, want %t", tt.a, tt.b, got, tt.want)
		}
		if got := model.Conflict(tt.b, tt.a); got != tt.want {
			t.Errorf("Conflict(%v; %v) = %t, want %t", tt.b, tt.a, got, tt.want)
		}
	}
}

func TestModelGrantsWhenNoEarlierConflictingRequestIsLive(t *testing.T) {
	var m model.Model[treelock.Path]
	check := func(what string, got []string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s grants, -want +got:\n%s", what, diff)
		}
	}
	check("early", m.Submit("early", treelock.Read("/a")), "early")
	check("writer", m.Submit("writer", treelock.Write("/a/b")))
	check("late", m.Submit("late", treelock.Read("/a")))
	check("other", m.Submit("other", treelock.Write("/c")), "other")
	if diff := cmp.Diff([]string{"writer"}, m.Blockers("late")); diff != "" {
		t.Errorf("Blockers(late), -want +got:\n%s", diff)
	}
	granted, ok := m.Narrow("early", treelock.ReadNode("/a"))
	if !ok {
		t.Error("Narrow(early, its top node) = false, want true")
	}
	check("narrowing early", granted, "writer")
	if _, ok := m.Narrow("early", treelock.Read("/a")); ok {
		t.Error("Narrow(early, what it held before) = true, want false")
	}
	check("the end of writer", m.End("writer"), "late")
	if m.Waiting() != 0 || len(m.Live()) != 3 {
		t.Errorf("%d wait, live: %v, want 0 and three", m.Waiting(), m.Live())
	}
}
