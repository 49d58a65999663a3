package treelock_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
)

func TestForIsTheEmptyRequest(t *testing.T) {
	r := treelock.For[treelock.Path]()
	if diff := cmp.Diff(claims(request{}), claims(r)); diff != "" || r.Len() != 0 || r.String() != "nothing" {
		t.Errorf("For() = %v with %d claims, want the empty request", r, r.Len())
	}
	if got, want := treelock.For[tenant]().Write(tenant{7}).String(), "write {7}"; got != want {
		t.Errorf("For[tenant]().Write() = %s, want %s", got, want)
	}
}

// manyClaims returns n claims of all kinds.
func manyClaims(n int) []claim {
	many := make([]claim, n)
	for i := range many {
		many[i] = claim{treelock.Path(fmt.Sprint("/", i)), treelock.Scope(i % 2), treelock.Access(i / 2 % 2)}
	}
	return many
}

func TestWithKeepsClaimsInOrder(t *testing.T) {
	for before := range 7 {
		for n := range 12 {
			base, want := chain(before)
			added := manyClaims(n)
			want = append(want, added...)
			r := base.With(added...)
			clear(added) // the request must not need the caller's slice any more
			sibling := base.With(claim{Node: "/sibling"})
			if diff := cmp.Diff(want, claims(r)); diff != "" || r.Len() != len(want) {
				t.Errorf("%d claims With(%d claims) has Len() = %d and, -want +got:\n%s", before, n, r.Len(), diff)
			}
			if got := claims(sibling)[before]; got.Node != "/sibling" {
				t.Errorf("another request with the same beginning ends in %v", got)
			}
		}
	}
}

// So the time grows with the number of claims, not with its square.
func TestWithAllocatesOnceForAnyNumberOfClaims(t *testing.T) {
	for n, want := range map[int]float64{4: 0, 5: 1, 50_000: 1} {
		many := manyClaims(n)
		var r request
		if got := testing.AllocsPerRun(10, func() { r = treelock.For[treelock.Path]().With(many...) }); got != want || r.Len() != n {
			t.Errorf("With(%d claims): %v allocations and %d claims, want %v allocations", n, got, r.Len(), want)
		}
	}
}

func TestTagStaysWithTheRequest(t *testing.T) {
	type job struct{ uncomparable []int }
	plain := treelock.Read("/a")
	tagged := plain.Tagged(1).Write("/b").Labeled("x").Tagged(job{[]int{7}}).With(manyClaims(9)...)
	if got, ok := tagged.Tag().(job); !ok || !slices.Equal(got.uncomparable, []int{7}) || tagged.Label() != "x" {
		t.Errorf("Tag() = %v, Label() = %q, want the last ones given", tagged.Tag(), tagged.Label())
	}
	if got := plain.Tag(); got != nil {
		t.Errorf("Tag() of the request that it was made from = %v, want none", got)
	}
	if got := tagged.Tagged(nil); got.Tag() != nil || got.Label() != "x" {
		t.Errorf("Tagged(nil) has the tag %v and the label %q, want the label alone", got.Tag(), got.Label())
	}
	if got := tagged.Labeled("").Tag(); got == nil {
		t.Error("Labeled() takes the tag away")
	}
	if got, want := plain.Labeled("x").Tagged(panics{}).String(), plain.String(); got != want {
		t.Errorf("String() with a tag = %s, want %s", got, want)
	}
}

// panics is a tag that must not be looked at.
type panics struct{}

func (panics) String() string { panic("String of a tag was called") }
