package treelock_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/treelock/treelock"
)

func TestLabelStaysWithTheRequest(t *testing.T) {
	plain := treelock.Read("/a")
	labeled := plain.Labeled("first").Write("/b").Labeled("rename 17").ReadNode("/c")
	if got := labeled.Label(); got != "rename 17" {
		t.Errorf("Label() = %q, want the last one given", got)
	}
	if got := plain.Label(); got != "" {
		t.Errorf("Label() of the request that it was made from = %q, want none", got)
	}
	if got, want := labeled.String(), "read /a, write /b, read-node /c"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}

func TestLongLabelIsCutBetweenCharacters(t *testing.T) {
	for _, test := range []struct{ label, want string }{
		{strings.Repeat("x", treelock.MaxLabel), strings.Repeat("x", treelock.MaxLabel)},
		{strings.Repeat("x", 10_000), strings.Repeat("x", treelock.MaxLabel)},
		{strings.Repeat("€", 50), strings.Repeat("€", treelock.MaxLabel/3)},
		{strings.Repeat("x", treelock.MaxLabel-1) + "😀", strings.Repeat("x", treelock.MaxLabel-1)},
		{strings.Repeat("\x80", 200), strings.Repeat("\x80", treelock.MaxLabel-utf8.UTFMax)}, // no UTF-8
	} {
		if got := treelock.Read("/a").Labeled(test.label).Label(); got != test.want {
			t.Errorf("Label() of %.20q... (%d bytes) = %q (%d bytes), want %d bytes", test.label, len(test.label), got, len(got), len(test.want))
		}
	}
}

func TestClaimsHaveReadableJSON(t *testing.T) {
	var claims []treelock.Claim[treelock.Path]
	for claim := range treelock.Read("/a").WriteNode("/b").Claims() {
		claims = append(claims, claim)
	}
	got, err := json.Marshal(claims)
	want := `[{"node":"/a","scope":"subtree","access":"shared"},{"node":"/b","scope":"node","access":"exclusive"}]`
	if err != nil || string(got) != want {
		t.Errorf("Marshal() = %s, %v, want %s", got, err, want)
	}
	var again []treelock.Claim[treelock.Path]
	if err := json.Unmarshal(got, &again); err != nil || !slices.Equal(again, claims) {
		t.Errorf("Unmarshal() = %v, %v, want %v", again, err, claims)
	}
	if err := json.Unmarshal([]byte(`{"access":"both"}`), &again[0]); err == nil || !strings.Contains(err.Error(), `"both" is none of [shared exclusive]`) {
		t.Errorf("Unmarshal(an access that there is not) = %v, want an error that says which there are", err)
	}
}

func TestNotesOfARequestAreIndependent(t *testing.T) {
	plain := treelock.Read("/a")
	for _, tt := range []struct {
		req   treelock.Request[treelock.Path]
		label string
		tag   any
		queue int
	}{
		{plain, "", nil, -1},
		{plain.Queue(0), "", nil, 0},
		{plain.Queue(3).Queue(-5), "", nil, -1},
		{plain.Labeled("x").Queue(2).Tagged(7).Write("/b"), "x", 7, 2},
		{plain.Tagged(7).Queue(2).Labeled("x"), "x", 7, 2},
		{plain.Queue(2).Labeled("x").Tagged(7).Labeled("").Tagged(nil), "", nil, 2},
		{plain.Queue(math.MaxInt), "", nil, math.MaxInt},
		{plain.Labeled("x").Queue(math.MinInt), "x", nil, -1},
	} {
		label, tag, queue := tt.req.Label(), tt.req.Tag(), tt.req.QueueLimit()
		if label != tt.label || tag != tt.tag || queue != tt.queue {
			t.Errorf("%v has %q, %v, %d, want %q, %v, %d", tt.req, label, tag, queue, tt.label, tt.tag, tt.queue)
		}
	}
	if plain.QueueLimit() != -1 {
		t.Error("Queue has changed the request that it was called on")
	}
}
