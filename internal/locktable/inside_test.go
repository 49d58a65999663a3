package locktable_test

import (
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/terms"
)

func TestTablesInsideOneAnotherShareNumbers(t *testing.T) {
	outer := locktable.New[treelock.Path, string](0, terms.NewPaths())
	inner := outer.NewInside(0)
	innermost := inner.NewInside(0)
	claims := locktable.ClaimsOf(treelock.Write("/a"))
	for i, tb := range []*table{outer, innermost, inner, innermost, outer} {
		r := tb.Submit(claims)
		if got, want := r.Seq(), uint64(i+1); got != want {
			t.Errorf("request %d has number %d, want %d", i, got, want)
		}
		if granted := i < 3; r.Granted() != granted {
			t.Errorf("request %d: Granted() = %t, want %t: a request of another table counts", i, r.Granted(), granted)
		}
	}
	for _, tb := range []*table{outer, inner, innermost} {
		if err := tb.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestHoldsComparesClaimByClaim(t *testing.T) {
	tb := locktable.New[treelock.Path, string](0, terms.NewPaths())
	r := tb.Submit(locktable.ClaimsOf(treelock.Read("/a").WriteNode("/b")))
	for _, tt := range []struct {
		req  treelock.Request[treelock.Path]
		want bool
	}{
		{treelock.For[treelock.Path](), true},
		{treelock.Read("/a").Read("/a/x").ReadNode("/a/y/z").ReadNode("/b"), true},
		{treelock.WriteNode("/b"), true},
		{treelock.Read("/b"), false},
		{treelock.ReadNode("/b/c"), false},
		{treelock.Write("/a"), false},
		{treelock.Read("/a").ReadNode("/"), false},
	} {
		if got := tb.Holds(r, locktable.ClaimsOf(tt.req)); got != tt.want {
			t.Errorf("Holds(%v) = %t, want %t", tt.req, got, tt.want)
		}
	}
	if err := tb.Check(); err != nil {
		t.Error(err)
	}
}
