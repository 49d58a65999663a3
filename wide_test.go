package treelock_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/treelock/treelock"
)

// An error that has more claims than a text names, as one that is made by hand may, counts the others.
func TestErrorNamesEightClaimsAndCountsTheOthers(t *testing.T) {
	e := &treelock.BlockedError[treelock.Path]{Op: "acquire", MoreClaims: 1_234_565, Err: treelock.ErrBusy}
	for i := range 10 {
		e.Claims = append(e.Claims, treelock.Claim[treelock.Path]{Node: treelock.Path(fmt.Sprint("/", i))})
	}
	if got, want := e.Error(), "/7 and 1,234,567 more: "; !strings.Contains(got, want) {
		t.Errorf("Error() = %s, want it to contain %q", got, want)
	}
}
