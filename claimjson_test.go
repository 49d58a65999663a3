package treelock_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/treelock/treelock"
)

// pointerNode is a node that is a pointer, with a text.
type pointerNode struct{ name string }

func (*pointerNode) Parent() (*pointerNode, bool)      { return nil, false }
func (p *pointerNode) MarshalText() ([]byte, error)    { return []byte(p.name), nil }
func (p *pointerNode) UnmarshalText(text []byte) error { p.name = string(text); return nil }

// A node that a pointer points to belongs to the holder of a lock, and a new pointer is another
// node.
func TestPointersDoNotComeBackFromJSON(t *testing.T) {
	node := &pointerNode{"before"}
	claim := treelock.Claim[*pointerNode]{Node: node}
	err := json.Unmarshal([]byte(`{"node":"after"}`), &claim)
	if err == nil || claim.Node != node || node.name != "before" {
		t.Errorf("Unmarshal() = %v, and the node is %v, want an error and the node as it was", err, node)
	}
	for want, err := range map[string]error{
		`treelock: JSON node "after": a *treelock_test.pointerNode cannot be made from its text`: err,
		`treelock: JSON node "a\n": a treelock_test.resource has no such text`:                   json.Unmarshal([]byte(`{"node":"a\n"}`), new(treelock.Claim[resource])),
		`treelock: JSON node "x": a treelock_test.numberNode has no such text`:                   json.Unmarshal([]byte(`{"node":"x"}`), new(treelock.Claim[numberNode])),
	} {
		if fmt.Sprint(err) != want {
			t.Errorf("Unmarshal() = %v, want %s", err, want)
		}
	}
}

// What data does not name keeps its value, as a field of a struct does.
func TestClaimKeepsWhatJSONDoesNotName(t *testing.T) {
	was := claim{"/a", treelock.NodeOnly, treelock.Exclusive}
	for data, want := range map[string]claim{
		`{}`:                  was,
		`null`:                was,
		`{"node":null}`:       was,
		`{"node":"/b"}`:       {"/b", treelock.NodeOnly, treelock.Exclusive},
		`{"scope":"subtree"}`: {"/a", treelock.Subtree, treelock.Exclusive},
		`{"access":"shared"}`: {"/a", treelock.NodeOnly, treelock.Shared},
	} {
		c := was
		if err := json.Unmarshal([]byte(data), &c); err != nil || c != want {
			t.Errorf("Unmarshal(%s) = %v, %v, want %v", data, c, err, want)
		}
	}
}
