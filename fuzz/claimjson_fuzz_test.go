package fuzz_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/treelock/treelock"
)

type (
	keyNode     string
	intNode     int32
	floatNode   float32
	complexNode complex128
	boolNode    bool
)

func (keyNode) Parent() (keyNode, bool)         { return "", false }
func (intNode) Parent() (intNode, bool)         { return 0, false }
func (floatNode) Parent() (floatNode, bool)     { return 0, false }
func (complexNode) Parent() (complexNode, bool) { return 0, false }
func (boolNode) Parent() (boolNode, bool)       { return false, false }

// A textNode has any bytes as its text.
type textNode struct{ text string }

func (textNode) Parent() (textNode, bool)        { return textNode{}, false }
func (n textNode) MarshalText() ([]byte, error)  { return []byte(n.text), nil }
func (n *textNode) UnmarshalText(b []byte) error { n.text = string(b); return nil }

// FuzzClaimJSON takes two nodes of several types, and a text that may be the JSON of a claim.
func FuzzClaimJSON(f *testing.F) {
	for _, data := range []string{`{"node":"/a","scope":"node","access":"exclusive"}`, `{"node":"\"\\xe9\""}`, `{"node":"-0"}`, `{"node":"1e400"}`, `{"node":"(1+2i)"}`, `{"node":"+7"}`, `{"node":null}`, `null`} {
		f.Add("\xe9", "\ufffd", int32(-7), float32(0.1), -1.5, 1e300, data)
	}
	f.Fuzz(func(t *testing.T, a, b string, i int32, small float32, x, y float64, data string) {
		checkPair(t, keyNode(a), keyNode(b))
		checkPair(t, textNode{a}, textNode{b})
		checkPair(t, intNode(i), intNode(len(a)))
		checkPair(t, floatNode(small), floatNode(float32(x)))
		checkPair(t, complexNode(complex(x, y)), complexNode(complex(y, x)))
		checkPair(t, boolNode(i > 0), boolNode(len(a) > 0))
		checkDecode[treelock.Path](t, data)
		checkDecode[keyNode](t, data)
		checkDecode[textNode](t, data)
		checkDecode[intNode](t, data)
		checkDecode[floatNode](t, data)
		checkDecode[complexNode](t, data)
		checkDecode[boolNode](t, data)
	})
}

// checkPair checks that a comes back from JSON, and differs from b there if it differs at all.
func checkPair[N treelock.Node[N]](t *testing.T, a, b N) {
	if a != a || b != b {
		return // a NaN is no node
	}
	claim := treelock.Claim[N]{Node: a, Scope: treelock.NodeOnly}
	first, second := claimJSON(t, claim), claimJSON(t, treelock.Claim[N]{Node: b, Scope: treelock.NodeOnly})
	if a != b && first == second {
		t.Errorf("%#v and %#v are both %s in JSON", a, b, first)
	}
	var again treelock.Claim[N]
	if err := json.Unmarshal([]byte(first), &again); err != nil || again != claim {
		t.Errorf("%#v comes back from %s as %#v, %v", claim, first, again, err)
	}
}

// checkDecode checks that a claim that is read from data is one that comes back from its own JSON,
// and that data which is refused changes nothing.
func checkDecode[N treelock.Node[N]](t *testing.T, data string) {
	var claim treelock.Claim[N]
	if err := json.Unmarshal([]byte(data), &claim); err != nil {
		if claim != (treelock.Claim[N]{}) {
			t.Errorf("Unmarshal(%s) = %#v, %v, want no change", data, claim, err)
		}
		return
	}
	if claim.Node != claim.Node {
		return
	}
	var again treelock.Claim[N]
	text := claimJSON(t, claim)
	if err := json.Unmarshal([]byte(text), &again); err != nil && any(claim.Node) != any(treelock.Path("")) || err == nil && again != claim {
		t.Errorf("%#v comes back from %s as %#v, %v", claim, text, again, err)
	}
}

func claimJSON[N treelock.Node[N]](t *testing.T, claim treelock.Claim[N]) string {
	text, err := json.Marshal(claim)
	if err != nil {
		t.Fatalf("json.Marshal(%#v) = %v", claim, err)
	}
	return string(text)
}

// TestEdgesOfNumbersComeBackFromJSON has the numbers that random ones seldom are.
func TestEdgesOfNumbersComeBackFromJSON(t *testing.T) {
	for _, x := range []float64{0, math.Copysign(0, -1), math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1), math.MaxFloat32} {
		checkPair(t, floatNode(x), 1)
		for _, y := range []float64{x, -x, 1, math.Inf(-1)} {
			checkPair(t, complexNode(complex(x, y)), 1)
		}
	}
	for _, i := range []intNode{math.MinInt32, math.MaxInt32} {
		checkPair(t, i, 0)
	}
}
