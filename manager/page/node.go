package page

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"

	"github.com/treelock/treelock"
)

// textOf returns the text of a node. It runs the node's String or MarshalText, and reads no memory that the node points
// to, since that belongs to the request that holds the node. The text is bounded, except that of a string.
func textOf(node any) string {
	switch v := node.(type) {
	case treelock.Path:
		return string(v)
	case fmt.Stringer:
		return clip(v.String(), longest)
	case encoding.TextMarshaler:
		if text, err := v.MarshalText(); err == nil {
			return clip(string(text), longest)
		}
	}
	v := reflect.ValueOf(node)
	switch {
	case v.Kind() == reflect.String:
		return v.String()
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10)
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10)
	case v.Kind() == reflect.Pointer, v.Kind() == reflect.Chan, v.Kind() == reflect.UnsafePointer:
		return clip(fmt.Sprintf("%s(%#x)", v.Type(), v.Pointer()), longest)
	case v.IsValid() && isPlain(v.Type()):
		return clip(fmt.Sprint(node), longest)
	default:
		return clip(fmt.Sprintf("%T", node), longest)
	}
}

// isPlain reports whether values of type t have no pointers in them but those of strings, so that to read one is to
// read nothing of what others may write.
func isPlain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return isPlain(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if !isPlain(t.Field(i).Type) {
				return false
			}
		}
		return true
	case reflect.Pointer, reflect.UnsafePointer, reflect.Chan, reflect.Func, reflect.Interface, reflect.Map, reflect.Slice:
		return false
	default:
		return true
	}
}
