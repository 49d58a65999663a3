package nodetext

import (
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Valid returns the text of s that is valid UTF-8: s itself, or the form of strconv.Quote if s is
// not valid or begins with a double quote. So distinct strings have distinct texts, in JSON too.
// [FromValid] is the way back.
func Valid(s string) string {
	if utf8.ValidString(s) && !strings.HasPrefix(s, `"`) {
		return s
	}
	return strconv.Quote(s)
}

// FromValid returns the string that has text as its [Valid] text. ok is false if there is none.
func FromValid(text string) (s string, ok bool) {
	s = text
	if strings.HasPrefix(text, `"`) {
		var err error
		if s, err = strconv.Unquote(text); err != nil {
			return "", false
		}
	}
	return s, Valid(s) == text
}

// Exact returns the whole value of node, unlike [Of], if it is of a string, number or boolean type.
// It calls no method. Strings are in the form of [Valid]. [SetExact] is the way back.
func Exact[N any](node N) (text string, ok bool) { return exact(reflect.ValueOf(&node).Elem()) }

func exact(v reflect.Value) (text string, ok bool) {
	switch kind := v.Kind(); {
	case kind == reflect.String:
		return Valid(v.String()), true
	case isScalar(kind):
		return number(v), true
	default:
		return "", false
	}
}

// SetExact sets v to the value that has text as its [Exact] text. It returns false, and changes
// nothing, if there is none.
func SetExact(v reflect.Value, text string) bool {
	parsed := reflect.New(v.Type()).Elem()
	if parsed.Kind() == reflect.String {
		s, _ := FromValid(text)
		parsed.SetString(s)
	} else if !setNumber(parsed, text) {
		return false
	}
	if again, _ := exact(parsed); again != text {
		return false
	}
	v.Set(parsed)
	return true
}
