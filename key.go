package treelock

import (
	"fmt"
	"reflect"

	"github.com/treelock/treelock/internal/nodetext"
)

// A Key is a node without a parent: every key is a tree of its own. So a manager of keys is a keyed
// lock, with no tree at all. Two keys are one node exactly if their values are equal (==). For keys
// that lie below one another, such as those of an object store, use [PathOf].
//
// Most programs name their keys once: type userKey = treelock.Key[int64].
type Key[K comparable] struct{ Value K }

// Parent returns false: a key lies below nothing.
func (Key[K]) Parent() (parent Key[K], ok bool) { return Key[K]{}, false }

// String names the key as its value would be named if that was the node: see [Node].
func (k Key[K]) String() string {
	if _, ok := any(k.Value).(fmt.Stringer); !ok {
		if v := reflect.ValueOf(&k.Value).Elem(); v.Kind() == reflect.String {
			return v.String() // whole, as errors, snapshots and logs quote and cut it
		}
	}
	return nodetext.Of(k.Value)
}

// MarshalText returns the text of the value: what its MarshalText returns, if it has that method,
// or else the value of a string, number or boolean, or else what [Key.String] returns. A text that
// is not valid UTF-8, or begins with a double quote, is written as strconv.Quote does, so that
// distinct ones stay distinct. It never fails, and reads no memory that the value points to.
func (k Key[K]) MarshalText() ([]byte, error) { return []byte(exactText(k.Value)), nil }

// UnmarshalText is the reverse of [Key.MarshalText] if K has both MarshalText and UnmarshalText,
// and if K is a string, number or boolean type without MarshalText. For values of other types it
// fails, as [Claim.UnmarshalJSON] does. If it fails, k stays as it is.
func (k *Key[K]) UnmarshalText(text []byte) error {
	value := k.Value
	if err := setExactText(&value, string(text)); err != nil {
		return err
	}
	k.Value = value
	return nil
}
