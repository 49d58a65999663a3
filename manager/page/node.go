package page

import (
	"encoding"
	"fmt"
	"reflect"

	"github.com/treelock/treelock/internal/nodetext"
)

// textOf returns the text of a node, by the rules of package nodetext: it runs the node's String or
// MarshalText, and reads no memory that the node points to, since that belongs to the request that
// holds the node. What a string says is not escaped yet, nor bounded: names on the page are (nameOf).
func textOf[N any](node N) string {
	if s, ok := any(node).(fmt.Stringer); ok {
		return clip(s.String(), longest)
	}
	if v := reflect.ValueOf(&node).Elem(); v.Kind() == reflect.String {
		return v.String()
	}
	if m, ok := any(node).(encoding.TextMarshaler); ok {
		if text, err := m.MarshalText(); err == nil {
			return clip(string(text), longest)
		}
	}
	return nodetext.Of(node)
}
