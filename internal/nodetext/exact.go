package nodetext

import (
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Valid returns s as valid UTF-8: s itself, or the form of strconv.Quote if s is not valid or
// begins with a double quote. Distinct strings have distinct texts, in JSON too. [FromValid] is its
// reverse. For example, the two file names caf\xe9 and caf\xe8 would both be caf\ufffd in JSON.
func Valid(s string) string {
	if utf8.ValidString(s) && !strings.HasPrefix(s, `"`) {
		return s
	}
	return strconv.Quote(s)
}

// FromValid returns the string whose [Valid] text is text. ok is false if there is none.
func FromValid(text string) (s string, ok bool) {
	s = text
	if strings.HasPrefix(text, `"`) {
		var err error
		if s, err = strconv.Unquote(text); err != nil {
			return "", false
		}
	}
	// strconv.Unquote accepts more than one text for a string. Only the text of Valid counts.
	return s, Valid(s) == text
}

// Exact returns the whole value of node, uncut, if it is of a string, number or boolean type. It
// calls no method. Strings have the form of [Valid]. [SetExact] is its reverse.
func Exact[N any](node N) (text string, ok bool) { return exact(reflect.ValueOf(&node).Elem()) }

// exact is Exact for a reflected value.
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

// SetExact sets v to the value whose [Exact] text is text. If there is none it returns false and
// changes nothing.
func SetExact(v reflect.Value, text string) bool {
	// Parse into a new value, so that v does not change if text is refused.
	parsed := reflect.New(v.Type()).Elem()
	if parsed.Kind() == reflect.String {
		s, _ := FromValid(text)
		parsed.SetString(s)
	} else if !setNumber(parsed, text) {
		return false
	}
	// Parsing accepts more than one text for a value, as in 07. Only the text of Exact is valid.
	if again, _ := exact(parsed); again != text {
		return false
	}
	v.Set(parsed)
	return true
}
