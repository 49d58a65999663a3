package terms_test

import (
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/terms"
	"github.com/treelock/treelock/waitqueue"
)

// A number that is none of the constants, as a conversion can make, means for the table what the
// texts say.
func TestModeAgreesWithTheVerb(t *testing.T) {
	modes := map[string]waitqueue.Mode{"read": waitqueue.TR, "write": waitqueue.TW, "read-node": waitqueue.NR, "write-node": waitqueue.NW}
	for scope := range treelock.Scope(4) {
		for access := range treelock.Access(4) {
			verb := treelock.Claim[treelock.Path]{Node: "/a", Scope: scope, Access: access}.Verb()
			if got, want := terms.ModeOf(scope, access), modes[verb]; got != want {
				t.Errorf("ModeOf(%d, %d) = %v, want %v, as its verb is %s", scope, access, got, want, verb)
			}
		}
	}
}
