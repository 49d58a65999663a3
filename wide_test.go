package treelock_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/treelock/treelock"
)

// An error that has more claims than a text names, as one that is made by hand may, counts the
// others.
func TestErrorNamesEightClaimsAndCountsTheOthers(t *testing.T) {
	e := &treelock.BlockedError[treelock.Path]{Op: "acquire", MoreClaims: 1_234_565, Err: treelock.ErrBusy}
	for i := range 10 {
		e.Claims = append(e.Claims, treelock.Claim[treelock.Path]{Node: treelock.Path(fmt.Sprint("/", i))})
	}
	if got, want := e.Error(), "/7 and 1,234,567 more: "; !strings.Contains(got, want) {
		t.Errorf("Error() = %s, want it to contain %q", got, want)
	}
}

// The claim that is blocked is named, also if it is not one of those that are named of the request.
func TestErrorNamesTheBlockedClaim(t *testing.T) {
	var e treelock.BlockedError[treelock.Path]
	for i := range 10 {
		e.Claims = append(e.Claims, claim{Node: treelock.Path(fmt.Sprint("/", i))})
	}
	for i, wanted := range e.Claims {
		e.Blockers = []treelock.Blocker[treelock.Path]{{Number: 1, Claim: wanted, Wanted: wanted}}
		want := "treelock: request read /0, read /1, read /2, read /3, read /4, read /5, read /6, read /7 and 2 more: blocked; "
		if i >= 8 {
			want += wanted.String() + " is "
		}
		want += "blocked by #1 (" + wanted.String() + ", waiting for 0s)"
		if got := e.Error(); got != want {
			t.Errorf("Error() =\n%s\nwant\n%s", got, want)
		}
	}
}
