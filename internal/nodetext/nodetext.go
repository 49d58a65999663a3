// Package nodetext turns nodes, and other texts of the user's, into text for people.
//
// A node may be a pointer to memory that belongs to the holder of a lock. So this package never reads
// through a node: no pointer is followed, and no method of a field is called. Package fmt does both.
//
// All texts are one line of bounded length. Distinct nodes have distinct texts, unless they are too long.
package nodetext

import (
	"encoding"
	"fmt"
	"reflect"
)

// Longest bounds the bytes of a node that a text shows. Escapes can make the text itself longer: see [Line].
const Longest = 200

// Of returns the text of the node v, in the form of [Line]. The first of these rules that applies to v
// decides:
//
//   - String, if v is a fmt.Stringer;
//   - the value, if v is of a string, number or boolean type;
//   - MarshalText, if v is an encoding.TextMarshaler;
//   - the fields or elements, if v is a struct or an array;
//   - else type and address, as in *main.folder(0xc000012345).
//
// String and MarshalText are code of the user. They run on the calling goroutine. If one panics, the text
// says so, after type and address.
func Of(v any) string {
	if s, ok := v.(fmt.Stringer); ok {
		return ofMethod(v, "String", func() (string, error) { return s.String(), nil })
	}
	if text, ok := ofScalar(v); ok {
		return text
	}
	if m, ok := v.(encoding.TextMarshaler); ok {
		return ofMethod(v, "MarshalText", func() (string, error) {
			text, err := m.MarshalText()
			return string(text), err
		})
	}
	return ofFields(v)
}

// Plain returns the text of the node v without running code of the user. ok is false if [Of] would run some:
// then the text is made of the type and the address, the value or the fields.
func Plain(v any) (text string, ok bool) {
	_, stringer := v.(fmt.Stringer)
	if text, scalar := ofScalar(v); scalar {
		return text, !stringer
	}
	_, marshaler := v.(encoding.TextMarshaler)
	return ofFields(v), !stringer && !marshaler
}

// ofMethod returns what method returns. name is for the text of a method that panics or fails.
func ofMethod(v any, name string, method func() (string, error)) (text string) {
	done := false
	defer func() {
		if !done && recover() != nil {
			text = ofFields(v) + " (" + name + " panicked)"
		}
	}()
	s, err := method()
	done = true
	if err != nil {
		return ofFields(v) + " (" + name + " failed)"
	}
	return Line(s, Longest)
}

// ofScalar returns the value of v. ok is false if v is not of a string, number or boolean type.
func ofScalar(v any) (text string, ok bool) {
	switch value := reflect.ValueOf(v); value.Kind() {
	case reflect.String:
		return Line(value.String(), Longest), true
	case reflect.Bool, reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return number(value), true
	default:
		return "", false
	}
}

// ofFields returns the text of a value of any type, by reflection alone.
func ofFields(v any) string {
	var w walker
	w.value(reflect.ValueOf(v))
	return clip(string(w.text), Longest)
}
