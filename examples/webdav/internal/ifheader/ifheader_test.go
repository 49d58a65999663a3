package ifheader

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

var parsed = []struct {
	in   string
	want []List
}{
	{`(<urn:a>)`, []List{{"", []Condition{{Token: "urn:a"}}}}},
	{`(<urn:a> ["e"])`, []List{{"", []Condition{{Token: "urn:a"}, {ETag: `"e"`}}}}},
	{`(<urn:a>) (Not <DAV:no-lock> [W/"]e"])`, []List{
		{"", []Condition{{Token: "urn:a"}}},
		{"", []Condition{{Not: true, Token: "DAV:no-lock"}, {ETag: `W/"]e"`}}}}},
	{`</a> (<urn:a>)(not["x"]) <http://h/b>(<urn:b>)`, []List{
		{"/a", []Condition{{Token: "urn:a"}}},
		{"/a", []Condition{{Not: true, ETag: `"x"`}}},
		{"http://h/b", []Condition{{Token: "urn:b"}}}}},
	{`([bad])`, []List{{"", []Condition{{ETag: "bad"}}}}},
}

func TestParseReadsAllForms(t *testing.T) {
	for _, test := range parsed {
		got, err := Parse(test.in)
		if err != nil || !reflect.DeepEqual(got.Lists, test.want) {
			t.Errorf("Parse(%q) = %v, %v, want %v", test.in, got.Lists, err, test.want)
		}
	}
}

var malformed = []string{
	"", " ", "()", "(", ")", "(<>)", "(<a)", "([])", `(["e)`, `(["e"x])`, "<a>", "<a> <b> (<c>)", "(<a>) </b> (<c>)", "</a> (<b>) c> (<d>)", "< /a> (<b>)",
	"(Not)", "(Not Not <a>)", "x", "(<a>) x", "(x)", "(<a b>)",
	"(" + strings.Repeat("<a>", mostConditions+1) + ")", "(<" + strings.Repeat("a", longest) + ">)",
}

func TestParseRefusesMalformedHeaders(t *testing.T) {
	for _, in := range malformed {
		if got, err := Parse(in); !errors.Is(err, ErrMalformed) {
			t.Errorf("Parse(%.40q) = %v, %v, want ErrMalformed", in, got, err)
		}
	}
}

// Lists are joined by or, conditions by and, and Not binds to one condition.
func TestHoldsJoinsListsByOr(t *testing.T) {
	has := map[string]bool{"/|urn:a": true, `/|"e"`: true, "/b|urn:b": true}
	for in, want := range map[string]bool{
		`(<urn:a>)`:               true,
		`(<urn:a> ["e"])`:         true,
		`(<urn:a> ["f"])`:         false,
		`(<urn:a> ["f"]) (["e"])`: true,
		`(Not <urn:a>)`:           false,
		`(Not <urn:x> ["f"])`:     false,
		`(<urn:a> ["f"]) (Not <DAV:no-lock> ["f"])`: false,
		`(<urn:a> ["f"]) (Not <DAV:no-lock>)`:       true,
		`</b> (<urn:b>)`:                            true,
		`</b> (<urn:a>)`:                            false,
		`</b> (<urn:a>) </> (<urn:a>)`:              true,
	} {
		h, err := Parse(in)
		got := h.Holds(func(tag string, c Condition) bool {
			if tag == "" {
				tag = "/"
			}
			return has[tag+"|"+c.Token+c.ETag]
		})
		if err != nil || got != want {
			t.Errorf("Holds(%q) = %v, %v, want %v", in, got, err, want)
		}
	}
}

// A header that is parsed has no empty list and no empty condition, so it never holds for nothing.
func FuzzParse(f *testing.F) {
	for _, test := range parsed {
		f.Add(test.in)
	}
	for _, in := range malformed {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		h, err := Parse(in)
		if err != nil {
			if !errors.Is(err, ErrMalformed) || len(h.Lists) > 0 {
				t.Fatalf("Parse(%q) = %v, %v", in, h, err)
			}
			return
		}
		if len(h.Lists) == 0 {
			t.Fatalf("Parse(%q) has no list", in)
		}
		tagged := h.Lists[0].Tag != ""
		for _, list := range h.Lists {
			if len(list.Conditions) == 0 || tagged != (list.Tag != "") {
				t.Fatalf("Parse(%q) = %v", in, h)
			}
			for _, c := range list.Conditions {
				if (c.Token == "") == (c.ETag == "") {
					t.Fatalf("Parse(%q) has the condition %v", in, c)
				}
			}
		}
	})
}
