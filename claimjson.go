package treelock

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/treelock/treelock/internal/nodetext"
)

// jsonClaim is what a claim looks like in JSON.
type jsonClaim struct {
	Node   *string `json:"node"`
	Scope  Scope   `json:"scope"`
	Access Access  `json:"access"`
}

// MarshalJSON returns an object of node, scope and access. The node is always a string: what MarshalText
// returns, if the node has that method, or else the value of a string, number or boolean, or else the text of
// [Claim.String]. It never reads memory that a node points to.
func (c Claim[N]) MarshalJSON() ([]byte, error) {
	node := exactText(c.Node)
	return json.Marshal(jsonClaim{&node, c.Scope, c.Access})
}

// UnmarshalJSON is the reverse of MarshalJSON for nodes of a string, number or boolean type, and for those that
// have both MarshalText and UnmarshalText. For other nodes it fails.
func (c *Claim[N]) UnmarshalJSON(data []byte) error {
	read := jsonClaim{Scope: c.Scope, Access: c.Access}
	if err := json.Unmarshal(data, &read); err != nil {
		return err
	}
	claim := Claim[N]{c.Node, read.Scope, read.Access}
	if read.Node != nil {
		if err := setExactText(&claim.Node, *read.Node); err != nil {
			return err
		}
	}
	*c = claim
	return nil
}

// exactText returns the text of node that stands in JSON. The text is not cut, unless it is one for people alone.
func exactText[N Node[N]](node N) string {
	marshaler, ok := any(node).(encoding.TextMarshaler)
	if !ok {
		if text, ok := nodetext.Exact(node); ok {
			return text
		}
		return nodetext.Of(node)
	}
	text, err := marshalText(marshaler)
	if err != nil {
		return nodetext.Of(node) // which says that the method failed, if no other method names the node
	}
	if _, ok := any(node).(Path); ok {
		return text
	}
	return nodetext.Valid(text)
}

// marshalText calls MarshalText, and turns a panic into an error: it is code of the user, and often of a nil pointer.
func marshalText(m encoding.TextMarshaler) (text string, err error) {
	panicked := true
	defer func() {
		if panicked && recover() != nil {
			err = fmt.Errorf("treelock: MarshalText of a %T panicked", m)
		}
	}()
	b, err := m.MarshalText()
	panicked = false
	return string(b), err
}

// setExactText is the reverse of exactText.
func setExactText[N Node[N]](node *N, text string) error {
	if _, ok := any(*node).(encoding.TextMarshaler); !ok {
		if nodetext.SetExact(reflect.ValueOf(node).Elem(), text) {
			return nil
		}
		return fmt.Errorf("treelock: JSON node %s is no text of a %T", nodetext.Quote(text, longestQuote), *node)
	}
	unmarshaler, ok := any(node).(encoding.TextUnmarshaler)
	if !ok {
		return fmt.Errorf("treelock: JSON node %s: a %T has no UnmarshalText", nodetext.Quote(text, longestQuote), *node)
	}
	if _, ok := any(node).(*Path); !ok {
		s, ok := nodetext.FromValid(text)
		if !ok {
			return fmt.Errorf("treelock: JSON node %s is no text of a %T", nodetext.Quote(text, longestQuote), *node)
		}
		text = s
	}
	return unmarshaler.UnmarshalText([]byte(text))
}
