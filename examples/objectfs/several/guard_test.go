package main

import "testing"

func TestGuardRefusesWhatALaterConflictingGrantHasOvertaken(t *testing.T) {
	g := guard{map[string]tokens{}}
	g.raise(Claim{"p/a/x", true}, 20)
	g.raise(Claim{"p/b", false}, 30)
	g.raise(Claim{"p/b", false}, 25) // a reader that was granted before another one
	for _, test := range []struct {
		claim Claim
		token uint64
		late  bool
	}{
		{Claim{"p/a/x", true}, 19, true},
		{Claim{"p/a/x", false}, 19, true},
		{Claim{"p/a/x/file", false}, 19, true},
		{Claim{"p/a", false}, 19, true}, // it has x in it
		{Claim{"p/a/x", true}, 20, false},
		{Claim{"p/a/x", true}, 21, false},
		{Claim{"p/a/xy", true}, 1, false},
		{Claim{"p/a/y", true}, 1, false},
		{Claim{"p/b/file", true}, 29, true},
		{Claim{"p/b/file", false}, 29, false}, // readers do not conflict
		{Claim{"p/b/file", true}, 30, false},
		{Claim{"p", true}, 29, true},
		{Claim{"q", true}, 1, false},
	} {
		if got := g.late(test.claim, test.token); got != test.late {
			t.Errorf("late(%v, %d) = %t, want %t", test.claim, test.token, got, test.late)
		}
	}
}
