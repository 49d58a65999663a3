// Package nodetext formats nodes, and other texts of the user, for messages.
//
// A node may be a pointer to memory that belongs to the holder of a lock. So this package never
// reads through a node: it follows no pointer and calls no method of a field. Package fmt does
// both.
//
// Every text is one line of bounded length. Distinct nodes of one type have distinct texts, with
// three exceptions: texts that are cut, methods that return the same text, and values of types that
// share a name.
package nodetext

import (
	"encoding"
	"fmt"
	"reflect"
)

// Longest bounds the bytes of a node that a text shows. Escapes can make the text longer: see
// [Line].
const Longest = 200

// Of returns the text of node, in the form of [Line]. The first of these rules that applies
// decides:
//
//   - String, if node is a fmt.Stringer;
//   - the value, if node is of a string, number or boolean type;
//   - MarshalText, if node is an encoding.TextMarshaler;
//   - the fields or elements, if node is a struct or an array;
//   - otherwise type and address, as in *main.folder(0xc000012345).
//
// If N is an interface type, the value in the interface decides. Its text begins with its type, as
// in main.user(7) or main.group{7}: the same value of another type is another node.
//
// String and MarshalText are user code. They run on the calling goroutine. If one panics, the text
// says so, after the text that the node has without methods. They must be safe to call while the
// node is locked by another client.
func Of[N any](node N) string {
	// The pointer keeps the static type N: reflect.ValueOf(node) would lose an interface type.
	value := reflect.ValueOf(&node).Elem()
	if s, ok := any(node).(fmt.Stringer); ok {
		return ofMethod(value, "String", func() (string, error) { return s.String(), nil })
	}
	if text, ok := ofScalar(value); ok {
		return text
	}
	if m, ok := any(node).(encoding.TextMarshaler); ok {
		return ofMethod(value, "MarshalText", func() (string, error) {
			text, err := m.MarshalText()
			return string(text), err
		})
	}
	return ofFields(value)
}

// Plain returns the text of node without running user code. ok is false if [Of] would run some. It
// is for goroutines of the library, which user code must not block or end.
func Plain[N any](node N) (text string, ok bool) {
	value := reflect.ValueOf(&node).Elem()
	_, stringer := any(node).(fmt.Stringer)
	if text, scalar := ofScalar(value); scalar {
		return text, !stringer
	}
	_, marshaler := any(node).(encoding.TextMarshaler)
	return ofFields(value), !stringer && !marshaler
}

// ofMethod returns the result of method. If it panics or fails, the text says so, after the text
// that the node has without methods. name is the name of the method.
func ofMethod(node reflect.Value, name string, method func() (string, error)) (text string) {
	done := false
	defer func() {
		// If done is false and there is no panic, the method has called runtime.Goexit, which goes
		// on.
		if !done && recover() != nil {
			text = ofFields(node) + " (" + name + " panicked)"
		}
	}()
	s, err := method()
	done = true
	if err != nil {
		return ofFields(node) + " (" + name + " failed)"
	}
	return Line(s, Longest)
}

// ofScalar returns the text of v if v is, or holds, a string, number or boolean. Otherwise ok is
// false. It looks at the kind of v only, and calls no method of its type.
func ofScalar(v reflect.Value) (text string, ok bool) {
	switch kind := v.Kind(); {
	case kind == reflect.Interface && isScalar(v.Elem().Kind()):
		return ofFields(v), true
	case kind == reflect.String:
		return Line(v.String(), Longest), true
	case isScalar(kind):
		return number(v), true
	default:
		return "", false
	}
}

// isScalar reports whether kind is that of a string, number or boolean.
func isScalar(kind reflect.Kind) bool {
	return kind == reflect.String || reflect.Bool <= kind && kind <= reflect.Complex128
}

// ofFields returns the text of any value, by reflection alone.
func ofFields(v reflect.Value) string {
	var w fieldWriter
	w.value(v)
	return clip(string(w.text), Longest)
}
