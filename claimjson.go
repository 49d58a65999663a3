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

// MarshalJSON returns an object of node, scope and access. The node is always a string: what
// MarshalText returns, if the node has that method, or else the value of a string, number or
// boolean, or else the node's text in [Claim.String]. A text that is not valid UTF-8, or begins
// with a double quote, is written as strconv.Quote does, so that distinct ones stay distinct. It
// never reads memory that a node points to.
func (c Claim[N]) MarshalJSON() ([]byte, error) {
	node := exactText(c.Node)
	return json.Marshal(jsonClaim{&node, c.Scope, c.Access})
}

// UnmarshalJSON is the reverse of MarshalJSON if N has both MarshalText and UnmarshalText, and if N
// is a string, number or boolean type without MarshalText. For nodes of other types it fails: a
// pointer that it made would be another node. What data does not name keeps its value. If it fails,
// c stays as it is.
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

// exactText returns the text of node in JSON. The text is not cut, unless it is one for
// people alone.
func exactText[N any](node N) string {
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

// marshalText calls MarshalText, and turns a panic into an error: it is code of the user, and often
// of a nil pointer.
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
func setExactText[N any](node *N, text string) error {
	fails := func(why string) error {
		return fmt.Errorf("treelock: JSON node %s: a %v %s", nodetext.Quote(text, longestQuote), reflect.TypeFor[N](), why)
	}
	if _, ok := any(*node).(encoding.TextMarshaler); !ok {
		if !nodetext.SetExact(reflect.ValueOf(node).Elem(), text) {
			return fails("has no such text")
		}
		return nil
	}
	unmarshaler, ok := any(node).(encoding.TextUnmarshaler)
	if !ok {
		return fails("cannot be made from its text")
	}
	if _, ok := any(node).(*Path); !ok {
		if text, ok = nodetext.FromValid(text); !ok {
			return fails("has no such text")
		}
	}
	return unmarshaler.UnmarshalText([]byte(text))
}
