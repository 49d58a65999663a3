package folder_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
)

// A recorder is a Locker that grants everything and notes what it is asked for.
type recorder struct {
	notes  []string
	labels []string // of the requests
	refuse error
}

func (r *recorder) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

func (r *recorder) Lock(_ context.Context, req treelock.Request[treelock.Path]) (unlock func(), err error) {
	if r.refuse != nil {
		return nil, r.refuse
	}
	r.note("lock %v", req)
	r.labels = append(r.labels, req.Label())
	return func() { r.note("unlock") }, nil
}

func (r *recorder) want(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, r.notes); diff != "" {
		t.Errorf("notes: -want +got\n%s", diff)
	}
}
