package xmlbody

import (
	"errors"
	"strings"
	"testing"
)

const info = `<D:lockinfo xmlns:D="DAV:" xmlns:o="urn:o"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype>` +
	`<D:owner><o:who o:at="&lt;x>" plain='"'>a &amp; b</o:who></D:owner></D:lockinfo>`

// Each bound of a body holds, and is not reached a step before.
func TestBodiesAreBounded(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }
	wide := func(n int) string { return "<a>" + strings.Repeat("<b/>", n-1) + "</a>" }
	for body, want := range map[string]bool{
		nested(deepest): true, nested(deepest + 1): false, wide(most): true, wide(most + 1): false,
	} {
		if err := Check([]byte(body)); (err == nil) != want {
			t.Errorf("Check(%.20q, of %d bytes) = %v", body, len(body), err)
		}
	}
}

// What is written of an owner is well-formed in any place, and says the same.
func TestOwnerIsKept(t *testing.T) {
	got, err := ParseLockInfo([]byte(info))
	if err != nil || got.Shared {
		t.Fatal(got, err)
	}
	body := LockAnswer(Lock{Token: "urn:x", Root: "/a&b", Owner: got.Owner})
	root, err := parse([]byte(body))
	if err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	owner := root.child("lockdiscovery").child("activelock").child("owner").children[0]
	if owner.name.Space != "urn:o" || owner.name.Local != "who" || owner.content[0] != "a & b" {
		t.Errorf("the owner is %+v", owner)
	}
	values := map[string]string{}
	for _, a := range owner.attrs {
		values[a.Name.Space+" "+a.Name.Local] = a.Value
	}
	if values["urn:o at"] != "<x>" || values[" plain"] != `"` {
		t.Errorf("the owner has the attributes %v", values)
	}
}

func TestHostileBodiesAreRefused(t *testing.T) {
	bomb := `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>`
	for _, body := range []string{
		"", "x", "<", "<a>", "<a></b>", "<a/><b/>", bomb + info, strings.ReplaceAll(info, "&amp;", "&b;"),
		strings.Repeat("<a>", deepest+1) + strings.Repeat("</a>", deepest+1), "<a>" + strings.Repeat("<b/>", most) + "</a>",
		`<a xmlns:b=""/>`, strings.ReplaceAll(info, "a &amp;", strings.Repeat("x", mostOwner)), "<a>\x00</a>", "<a>\xff</a>",
		strings.ReplaceAll(info, "<D:exclusive/>", ""), strings.ReplaceAll(info, "<D:exclusive/>", "<D:exclusive/><D:shared/>"),
		strings.ReplaceAll(info, "<D:write/>", "<D:read/>"), strings.ReplaceAll(info, "lockinfo", "info"),
	} {
		if got, err := ParseLockInfo([]byte(body)); !errors.Is(err, ErrMalformed) {
			t.Errorf("ParseLockInfo(%.60q) = %v, %v, want ErrMalformed", body, got, err)
		}
	}
}

func TestParsePropfind(t *testing.T) {
	for body, want := range map[string]string{
		"": "all",
		`<propfind xmlns="DAV:"><allprop/></propfind>`:                                   "all",
		`<propfind xmlns="DAV:"><allprop/><include><x xmlns="u:"/></include></propfind>`: "all u:x",
		`<propfind xmlns="DAV:"><propname/></propfind>`:                                  "names",
		`<propfind xmlns="DAV:"><prop><getetag/><x xmlns="u:"/></prop></propfind>`:       "DAV:getetag u:x",
		`<propfind xmlns="DAV:"><prop/><allprop/></propfind>`:                            "error",
		`<propfind xmlns="DAV:"/>`:                                                       "error",
		`<propfind xmlns="other"><allprop/></propfind>`:                                  "error",
		`<propfind xmlns="DAV:"><propname/><include><x/></include></propfind>`:           "error",
	} {
		p, err := ParsePropfind([]byte(body))
		var got []string
		if p.All {
			got = append(got, "all")
		}
		if p.NamesOnly {
			got = append(got, "names")
		}
		for _, n := range p.Names {
			got = append(got, n.Space+n.Local)
		}
		if err != nil {
			got = []string{"error"}
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("ParsePropfind(%s) = %s, want %s", body, text, want)
		}
	}
}

// An owner that is accepted is XML by itself, of bounded size, and no element of the answer.
func FuzzParseLockInfo(f *testing.F) {
	f.Add(info)
	f.Add(strings.ReplaceAll(info, "o:who", "who"))
	f.Add(strings.ReplaceAll(info, "a &amp; b", "<x xml:lang='de'/><![CDATA[<y>]]><!-- z -->"))
	f.Fuzz(func(t *testing.T, body string) {
		got, err := ParseLockInfo([]byte(body))
		if err != nil {
			return
		}
		answer := LockAnswer(Lock{Owner: got.Owner})
		root, err := parse([]byte(answer))
		if err != nil && strings.Contains(err.Error(), "deeper than") {
			return // the answer is deeper than the request, by two elements
		}
		if err != nil {
			t.Fatalf("%v\nin %s\nfor %s", err, answer, body)
		}
		if locks := root.child("lockdiscovery").children; len(locks) != 1 || locks[0].child("locktoken") == nil {
			t.Fatalf("%s\nfor %s", answer, body)
		}
	})
}
