package page

import (
	"encoding"
	"fmt"
	"reflect"

	"github.com/treelock/treelock/internal/nodetext"
)

// textOf returns the text of a node, by the rules of package nodetext: it runs the node's String or
// MarshalText, and reads no memory that the node points to, since that belongs to the request that
// holds the node. If the method panics, as it often does for a nil pointer, the text says so.
func textOf[N any](node N) (t text) {
	defer func() {
		if recover() != nil {
			t = newText(nodetext.Of(node))
		}
	}()
	if s, ok := any(node).(fmt.Stringer); ok {
		return newText(s.String())
	}
	if v := reflect.ValueOf(&node).Elem(); v.Kind() == reflect.String {
		return newText(v.String())
	}
	if m, ok := any(node).(encoding.TextMarshaler); ok {
		if s, err := m.MarshalText(); err == nil {
			return newText(string(s))
		}
	}
	return newText(nodetext.Of(node))
}
