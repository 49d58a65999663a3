package treelock_test

import (
	"encoding/json"
	"testing"

	"github.com/treelock/treelock"
)

type (
	// resource is a node type that is an interface: its nodes are of several types.
	resource interface{ Parent() (resource, bool) }
	userID   int
	groupID  int
	userName string
	userKey  struct{ id int }
	groupKey struct{ id int }

	// shelf is a node of several types as well: its field can hold any.
	shelf struct{ label any }
)

func (userID) Parent() (resource, bool)   { return nil, false }
func (groupID) Parent() (resource, bool)  { return nil, false }
func (userName) Parent() (resource, bool) { return nil, false }
func (userKey) Parent() (resource, bool)  { return nil, false }
func (groupKey) Parent() (resource, bool) { return nil, false }
func (shelf) Parent() (shelf, bool)       { return shelf{}, false }

func TestNodesOfManyTypesStayDistinct(t *testing.T) {
	distinct[resource](t, userID(7), groupID(7), userName("7"), userKey{7}, groupKey{7}, nil)
	distinct(t, shelf{7}, shelf{int8(7)}, shelf{"7"}, shelf{userName("7")}, shelf{userKey{7}}, shelf{groupKey{7}}, shelf{[1]int{7}}, shelf{[1]any{7}}, shelf{})
}

// distinct checks that no two of nodes have the same text or the same JSON.
func distinct[N treelock.Node[N]](t *testing.T, nodes ...N) {
	t.Helper()
	texts := map[string]N{}
	for _, node := range nodes {
		claim := treelock.Claim[N]{Node: node}
		inJSON, err := json.Marshal(claim)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{claim.String(), string(inJSON)} {
			if other, taken := texts[text]; taken {
				t.Errorf("claims of the nodes %#v and %#v are both named %s", other, node, text)
			}
			texts[text] = node
		}
	}
}
