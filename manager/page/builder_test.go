package page

import (
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

func TestAgeThatIsNotKnownIsALowerBound(t *testing.T) {
	now := time.Now()
	for older, want := range map[bool]string{false: "3 min 00 s", true: "over 3 min 00 s"} {
		live := manager.RequestInfo[treelock.Path]{Since: now.Add(-3 * time.Minute), Older: older}
		if got := newRequest(live, now).Age; got != want {
			t.Errorf("a request that is older than it was seen (%t) has the age %q, want %q", older, got, want)
		}
	}
}
