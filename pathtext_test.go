package treelock_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"maps"
	"net/netip"
	"strings"
	"testing"

	"github.com/treelock/treelock"
)

func TestPathTextIsThePathUnlessItIsNotUTF8(t *testing.T) {
	for path, want := range map[treelock.Path]string{
		"/":             "/",
		"/café/a b":     "/café/a b",
		"/line\nbreak":  "/line\nbreak",
		`/"quoted"`:     `/"quoted"`,
		"/caf\xe9":      `"/caf\xe9"`,
		"/caf\xe8":      `"/caf\xe8"`,
		"/caf\ufffd":    "/caf\ufffd",
		"/\xff\n\"/caf": `"/\xff\n\"/caf"`,
	} {
		text, err := path.MarshalText()
		if err != nil || string(text) != want {
			t.Errorf("Path(%q).MarshalText() = %s, %v, want %s", path, text, err, want)
		}
		var again treelock.Path
		if err := again.UnmarshalText(text); err != nil || again != path {
			t.Errorf("UnmarshalText(%s) = %q, %v, want %q", text, again, err, path)
		}
	}
}

func TestPathTextHasOneFormForEachPath(t *testing.T) {
	for text, rule := range map[string]treelock.PathRule{
		"":               treelock.RuleLeadingSlash,
		"docs":           treelock.RuleLeadingSlash,
		"/a/":            treelock.RuleTrailingSlash,
		"/a/../b":        treelock.RuleDotName,
		"/caf\xe9":       treelock.RuleText,
		`"/a"`:           treelock.RuleText, // valid UTF-8 is not quoted
		`"/caf\xe9`:      treelock.RuleText,
		`"/caf\351"`:     treelock.RuleText, // another spelling
		`"/caf\xe9/"`:    treelock.RuleTrailingSlash,
		`"caf\xe9"`:      treelock.RuleLeadingSlash,
		"`/caf\xe9`":     treelock.RuleLeadingSlash,
		`"/caf\xe9" `:    treelock.RuleText,
		`"/caf\xe9\x61"`: treelock.RuleText,
	} {
		p := treelock.Path("/before")
		var refusal *treelock.PathError
		if err := p.UnmarshalText([]byte(text)); !errors.As(err, &refusal) || refusal.Rule != rule || p != "/before" {
			t.Errorf("UnmarshalText(%s) = %q, %v, want %q and the rule %q", text, p, err, "/before", rule)
		}
		if rule == treelock.RuleText && refusal.Path != text {
			t.Errorf("UnmarshalText(%s) refuses %q, want it to name the text", text, refusal.Path)
		}
	}
}

type (
	keyNode    string
	numberNode int16
	house      struct{ rooms map[string]int }
	badMarshal struct{ n int }
	address    struct{ netip.Addr }
)

func (keyNode) Parent() (keyNode, bool)       { return "", false }
func (numberNode) Parent() (numberNode, bool) { return 0, false }
func (*house) Parent() (*house, bool)         { return nil, false }
func (badMarshal) Parent() (badMarshal, bool) { return badMarshal{}, false }
func (address) Parent() (address, bool)       { return address{}, false }

func (badMarshal) MarshalText() ([]byte, error) { panic("no") }

// roundTrip writes a claim of node as JSON and reads it again.
func roundTrip[N treelock.Node[N]](t *testing.T, node N, want string, back bool) {
	t.Helper()
	claim := treelock.Claim[N]{Node: node, Access: treelock.Exclusive}
	text, err := json.Marshal(claim)
	wantJSON := `{"node":` + want + `,"scope":"subtree","access":"exclusive"}`
	if err != nil || !strings.HasPrefix(string(text), strings.TrimSuffix(wantJSON, `",`)) && string(text) != wantJSON {
		t.Errorf("Marshal() = %s, %v, want %s", text, err, wantJSON)
	}
	var again treelock.Claim[N]
	err = json.Unmarshal(text, &again)
	if back && (err != nil || again != claim) || !back && (err == nil || !strings.HasPrefix(err.Error(), "treelock: JSON node ")) {
		t.Errorf("Unmarshal(%s) = %v, %v, want the claim: %t", text, again, err, back)
	}
}

func TestNodesStayDistinctInJSON(t *testing.T) {
	roundTrip(t, treelock.Path("/caf\xe9"), `"\"/caf\\xe9\""`, true)
	roundTrip(t, treelock.Path("/caf\xe8"), `"\"/caf\\xe8\""`, true)
	roundTrip(t, treelock.Path("/caf\ufffd"), "\"/caf\ufffd\"", true)
	roundTrip(t, keyNode("\xe9"), `"\"\\xe9\""`, true)
	roundTrip(t, keyNode(`"\xe9"`), `"\"\\\"\\\\xe9\\\"\""`, true)
	roundTrip(t, keyNode(strings.Repeat("x", 1000)), `"`+strings.Repeat("x", 1000)+`"`, true)
	roundTrip(t, numberNode(-7), `"-7"`, true)
	roundTrip(t, address{netip.MustParseAddr("10.0.0.1")}, `"10.0.0.1"`, true)
	roundTrip(t, tenant{7}, `"{7}"`, false)
	roundTrip(t, badMarshal{7}, `"{7} (MarshalText panicked)"`, false)

	home := &house{map[string]int{"kitchen": 1}}
	text, err := json.Marshal(treelock.Claim[*house]{Node: home})
	if err != nil || strings.Contains(string(text), "kitchen") || !strings.HasPrefix(string(text), `{"node":"*treelock_test.house(0x`) {
		t.Errorf("Marshal() = %s, %v, want type and address", text, err)
	}
	for _, wrong := range []string{`{"node":"70000"}`, `{"node":"07"}`, `{"node":"x"}`, `{"node":7}`} {
		var claim treelock.Claim[numberNode]
		if err := json.Unmarshal([]byte(wrong), &claim); err == nil {
			t.Errorf("Unmarshal(%s) = %v, nil, want an error", wrong, claim)
		}
	}
}

// Keys of maps are the exception: encoding/json does not ask for the texts of those of a string
// type.
func TestKeysOfMapsKeepDistinctPathsAsTextsOnly(t *testing.T) {
	paths := []treelock.Path{"/caf\xe8", "/caf\xe9", "/café"}
	direct, texts := map[treelock.Path]bool{}, map[string]treelock.Path{}
	for _, p := range paths {
		text, _ := p.MarshalText()
		direct[p], texts[string(text)] = true, p
	}
	data, err := json.Marshal(direct)
	if err != nil || strings.Count(string(data), `"/caf\ufffd":`) != 2 {
		t.Errorf("Marshal() = %s, %v, want two keys damaged: mend the doc of MarshalText", data, err)
	}
	data, err = json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	var again map[string]treelock.Path
	if err := json.Unmarshal(data, &again); err != nil || !maps.Equal(again, texts) {
		t.Errorf("Unmarshal(%s) = %q, %v, want %q", data, again, err, texts)
	}
	for key, path := range again {
		var p treelock.Path
		if err := p.UnmarshalText([]byte(key)); err != nil || p != path {
			t.Errorf("UnmarshalText(%s) = %q, %v, want %q", key, p, err, path)
		}
	}
}

func TestPathsStayDistinctInXMLAndGob(t *testing.T) {
	for _, p := range []treelock.Path{"/caf\xe8", "/caf\ufffd", "/a\r\n <b>&\"'", `/"`, "/\xed\xa0\x80\x00"} {
		in := claim{Node: p, Scope: treelock.NodeOnly, Access: treelock.Exclusive}
		data, err := xml.Marshal(in)
		var out claim
		if err := errors.Join(err, xml.Unmarshal(data, &out)); err != nil || out != in {
			t.Errorf("%v comes back from %s as %v, %v", in, data, out, err)
		}
		var b bytes.Buffer
		out = claim{}
		if err := errors.Join(gob.NewEncoder(&b).Encode(in), gob.NewDecoder(&b).Decode(&out)); err != nil || out != in {
			t.Errorf("%v comes back from gob as %v, %v", in, out, err)
		}
	}
}
