package nodetext

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// A fieldWriter writes a value by its fields, without fmt: that package would call methods of
// fields and follow pointers.
type fieldWriter struct{ text []byte }

// full reports whether the text is longer than what is shown. Then the rest of a large array is not
// read.
func (w *fieldWriter) full() bool { return len(w.text) > 4*Longest }

// value writes v. It reads nothing but v itself. The value in an interface is part of v, since it
// never changes.
//
// A pointer, channel, function, map or slice is written as type and address: the memory behind it
// may belong to the holder of a lock.
func (w *fieldWriter) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Invalid:
		w.write("<nil>")
	case reflect.Interface:
		w.interfaceValue(v.Elem())
	case reflect.Struct:
		w.list('{', '}', v.NumField(), v.Field)
	case reflect.Array:
		w.list('[', ']', v.Len(), v.Index)
	case reflect.String:
		w.write(listItem(v.String()))
	case reflect.Pointer, reflect.Chan, reflect.UnsafePointer, reflect.Func, reflect.Map, reflect.Slice:
		w.write(v.Type().String() + "(" + address(v) + ")")
	default:
		w.write(number(v))
	}
}

// interfaceValue writes the type and the value in an interface: the same value may have many types.
// Pointers and nil need no prefix: value writes the type of a pointer, and nil has none.
func (w *fieldWriter) interfaceValue(v reflect.Value) {
	switch kind := v.Kind(); {
	case kind == reflect.Struct || kind == reflect.Array:
		w.write(v.Type().String())
		w.value(v)
	case isScalar(kind):
		w.write(v.Type().String() + "(")
		w.value(v)
		w.write(")")
	default:
		w.value(v) // nil, or a kind that is written with its type anyway
	}
}

// list writes n values between two brackets, until the text is longer than what is shown.
func (w *fieldWriter) list(left, right byte, n int, at func(int) reflect.Value) {
	w.text = append(w.text, left)
	for i := 0; i < n && !w.full(); i++ {
		if i > 0 {
			w.text = append(w.text, ' ')
		}
		w.value(at(i))
	}
	w.text = append(w.text, right)
}

// write appends s.
func (w *fieldWriter) write(s string) { w.text = append(w.text, s...) }

// listItem returns s as a field or element. It quotes a string that could read like two values or
// like another kind of value: the array of "a b" must not read like the array of "a" and "b".
func listItem(s string) string {
	text := Line(s, Longest)
	if text == s && strings.ContainsAny(s, " {}[]()<>") {
		return strconv.Quote(clip(s, Longest))
	}
	return text
}

// number returns the text of a number or boolean by its kind. It calls no String method. Floats
// have the shortest text that parses to the same value, so distinct values have distinct texts.
func number(v reflect.Value) string {
	switch {
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10)
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10)
	case v.CanFloat():
		return strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits())
	case v.CanComplex():
		return strconv.FormatComplex(v.Complex(), 'g', -1, v.Type().Bits())
	default:
		return strconv.FormatBool(v.Bool())
	}
}

// address returns the address in a pointer-like value, without reading what is there.
func address(v reflect.Value) string {
	if v.IsNil() {
		return "nil"
	}
	return fmt.Sprintf("%#x", v.Pointer())
}

// setNumber sets v to the number or boolean that text stands for. It is the reverse of number. It
// returns false if text is no such value, or is too large for the type of v. A boolean is true only
// for "true": SetExact refuses every other text.
func setNumber(v reflect.Value, text string) bool {
	var err error
	switch {
	case v.CanInt():
		var n int64
		n, err = strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(n)
	case v.CanUint():
		var n uint64
		n, err = strconv.ParseUint(text, 10, v.Type().Bits())
		v.SetUint(n)
	case v.CanFloat():
		var n float64
		n, err = strconv.ParseFloat(text, v.Type().Bits())
		v.SetFloat(n)
	case v.CanComplex():
		var n complex128
		n, err = strconv.ParseComplex(text, v.Type().Bits())
		v.SetComplex(n)
	case v.Kind() == reflect.Bool:
		v.SetBool(text == "true")
	default:
		return false
	}
	return err == nil
}
