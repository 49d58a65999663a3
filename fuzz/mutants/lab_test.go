package main

import "testing"

func TestEndOfTimeIsNoFailure(t *testing.T) {
	for out, want := range map[string]bool{
		"fuzz: elapsed: 20s\n--- FAIL: FuzzNodes (20.12s)\n    context deadline exceeded\nFAIL\n":                         true,
		"--- FAIL: FuzzNodes (0.12s)\n    --- FAIL: FuzzNodes (0.00s)\n        x.go:1: context deadline exceeded\nFAIL\n": false,
		"--- FAIL: FuzzNodes (0.12s)\n    x.go:1: context deadline exceeded\n":                                            false,
	} {
		if got := endOfTime.MatchString(out); got != want {
			t.Errorf("%q: %t, want %t", out, got, want)
		}
	}
}
