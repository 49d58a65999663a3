package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
)

// A decoded is what can be read again of a snapshot's JSON.
type decoded struct {
	Stats   struct{ Live, Waiting int }
	Holders []seen
	Waiters []seen
	LeftOut int `json:"left_out"`
}

type seen struct {
	Number    uint64
	Label     string
	State     string
	Claims    []struct{ Node, Scope, Access string }
	BlockedBy []uint64 `json:"blocked_by"`
	More      int
	AtLeast   bool `json:"at_least"`
}

func (h *house) json(query string) (p decoded) {
	h.t.Helper()
	answer := h.get("/?format=json" + query)
	if err := json.Unmarshal(answer.Body.Bytes(), &p); err != nil || answer.Code != 200 {
		h.t.Fatalf("GET %s: %d, %v\n%s", query, answer.Code, err, answer.Body)
	}
	return p
}

func TestJSONHasTheSnapshot(t *testing.T) {
	inside(t, func(h *house) {
		h.submit("holder", treelock.Read("/a"))
		h.submit("waiter", treelock.WriteNode("/a/b"))
		h.submit("aside", treelock.Write("/c"))
		got := h.json("&below=/a")
		want := decoded{
			Holders: []seen{{1, "holder", "holding", []struct{ Node, Scope, Access string }{{"/a", "subtree", "shared"}}, nil, 0, false}},
			Waiters: []seen{{2, "waiter", "waiting", []struct{ Node, Scope, Access string }{{"/a/b", "node", "exclusive"}}, []uint64{1}, 0, false}},
		}
		want.Stats.Live, want.Stats.Waiting = 3, 1
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if got := h.json("&limit=1"); len(got.Holders)+len(got.Waiters) != 1 || got.LeftOut != 2 {
			t.Errorf("limit=1: %+v, want one request and 2 left out", got)
		}
	})
}

// hostile is what people may try.
var hostile = []string{
	`<script>alert(1)</script>`, `</style><script>x</script>`, `"><img src=x onerror=alert(1)>`, `' onclick='x`, "`${x}`", `{{.}}`, `javascript:x`,
	"line\nbreak\r\ttab", "\x00\x1b[31m\x7f", "\u202egnp.exe", "\u2066x\u2069", "\u200b\ufeff\u2028", "bad \xff\xc0\x80 utf8", "\xed\xa0\x80",
	`\" ] ; x -> y [ label="`, `\`, `\\"`, `\N\G\l`, `&lt;&amp;&#34;`, "<b>html label</b>", strings.Repeat(`"`, 100), strings.Repeat("ü", 50), "%s%n", " ",
}

// occupy claims a node with each hostile name, by requests with hostile labels, of which one holds and one waits.
func (h *house) occupy() {
	for i, text := range hostile {
		node := treelock.PathOf(fmt.Sprint(i), text, "end")
		h.submit(text, treelock.Write(node))
		h.submit(text, treelock.Read(node))
	}
	long := treelock.PathOf(strings.Repeat("<i>\u202e", 2000))
	h.submit("", treelock.Write(long))
	h.submit("", treelock.Write(long))
}

func TestHostileNamesStayText(t *testing.T) {
	inside(t, func(h *house) {
		h.occupy()
		for _, query := range []string{"/", "/?below=/2", "/?below=" + strings.ReplaceAll(string(treelock.PathOf("2", hostile[2])), " ", "+"), "/?below=<script>x"} {
			page := h.get(query).Body.String()
			rest := strings.Replace(strings.Replace(page, pageCSS, "", 1), pageJS, "", 1)
			for _, bad := range []string{"<script>alert", "</style><script", "<img", "<i>", "<b>html", `" onerror`, `' onclick='`, `href="javascript`} {
				if strings.Contains(rest, bad) {
					t.Errorf("GET %s: %q stands in the page", query, bad)
				}
			}
			wantPrintable(t, "GET "+query, page)
			if regexp.MustCompile(`="[^"]{1000}[^"]{1000}[^"]{1000}[^"]{1000}`).MatchString(rest) {
				t.Errorf("GET %s: there is a very long link or title", query)
			}
			if len(page) > 400_000 {
				t.Errorf("GET %s: the page has %d bytes", query, len(page))
			}
		}
		if text := textIn(h.get("/").Body.String()); !strings.Contains(text, `\u202egnp.exe`) || !strings.Contains(text, `bad \xff\xc0\x80 utf8`) ||
			!strings.Contains(text, "bytes) …") {
			t.Errorf("what does not print is not shown as it should be:\n%s", text)
		}
	})
}

// wantPrintable checks that there is nothing in text but what prints, and line breaks.
func wantPrintable(t *testing.T, what, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s: invalid UTF-8", what)
	}
	for _, r := range text {
		if !unicode.IsPrint(r) && r != '\n' && r != '\t' {
			t.Errorf("%s: %U stands in it", what, r)
		}
	}
}

func TestHostileNamesAreWhatTheyAreInJSON(t *testing.T) {
	inside(t, func(h *house) {
		h.occupy()
		labels := make(map[string]int)
		for _, r := range h.json("").Waiters {
			labels[r.Label]++
		}
		for _, text := range hostile {
			if want := jsonOf(text); labels[want] == 0 {
				t.Errorf("no request has the label %q", want)
			}
		}
	})
}

// jsonOf returns what becomes of s in JSON: each byte that is no UTF-8 is replaced.
func jsonOf(s string) (back string) {
	text, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(text, &back)
	}
	if err != nil {
		panic(err)
	}
	return back
}

func TestDOTIsWellFormedWhateverTheNames(t *testing.T) {
	inside(t, func(h *house) {
		h.occupy()
		for _, query := range []string{"/?format=dot", "/?format=dot&limit=3"} {
			graph := h.get(query).Body.String()
			if err := checkDOT(graph); err != nil {
				t.Errorf("GET %s: %v\n%s", query, err, graph)
			}
			wantPrintable(t, "GET "+query, graph)
		}
		graph := h.get("/?format=dot").Body.String()
		for _, want := range []string{
			`r1 [shape=box style=filled fillcolor="#d9efe4" label="#1 “<script>alert(1)</script>”\nholds for 0 ms"]`,
			`r2 [shape=box style=dashed label="#2 “<script>alert(1)</script>”\nwaits for 0 ms"]`,
			"r2 -> r1 [", `label="write"`, `label="read"`, `“\\\" ] ; x`, `&amp;lt;&amp;amp;`, `\\N\\G\\l`,
		} {
			if !strings.Contains(graph, want) {
				t.Errorf("%q is not in\n%s", want, graph)
			}
		}
	})
}

// A snapshot names the first few requests that one waits for. The formats say alike how many more there are.
func TestRequestsThatAreNotNamedAreCounted(t *testing.T) {
	inside(t, func(h *house) {
		for range 1500 {
			h.submit("", treelock.Read("/a"))
		}
		h.submit("many", treelock.Write("/a"))
		waiter := h.json("&limit=2000").Waiters[0]
		if waiter.More == 0 || !waiter.AtLeast || len(waiter.BlockedBy) == 0 {
			t.Fatalf("the test needs a request that waits for more than are counted, not %+v", waiter)
		}
		h.wantText("/", 200, fmt.Sprintf("waits for #1 and %s or more", count(len(waiter.BlockedBy)-mostNamed+waiter.More)))
		if graph, want := h.get("/?format=dot&limit=2000").Body.String(), count(waiter.More)+" or more that are not drawn"; !strings.Contains(graph, want) {
			t.Errorf("%q is not in the graph", want)
		}
	})
}

var statement = regexp.MustCompile(`^(label=S|rankdir=LR|(node|edge|[rn][0-9]+( -> [rn][0-9]+)?) \[[a-zS0-9= ]*\])$`)

// checkDOT is a small parser: it knows as much of DOT as is written here.
func checkDOT(graph string) error {
	lines := strings.Split(strings.TrimSuffix(graph, "\n"), "\n")
	if len(lines) < 2 || lines[0] != "digraph locks {" || lines[len(lines)-1] != "}" {
		return errors.New("it is no graph")
	}
	for _, line := range lines[1 : len(lines)-1] {
		shape, err := withoutStrings(strings.TrimPrefix(line, "\t"))
		if err != nil || !statement.MatchString(shape) {
			return fmt.Errorf("%q: %q: %w", line, shape, err)
		}
	}
	return nil
}

// withoutStrings puts an S for each quoted string.
func withoutStrings(line string) (string, error) {
	var b strings.Builder
	inside := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case inside && c == '\\':
			if i++; i == len(line) || !strings.ContainsRune(`\"n`, rune(line[i])) {
				return "", errors.New("an escape that means something else")
			}
		case c == '"':
			if inside = !inside; inside {
				b.WriteByte('S')
			}
		case inside && c == '&' && !strings.HasPrefix(line[i:], "&amp;"):
			return "", errors.New("an entity")
		case !inside:
			b.WriteByte(c)
		}
	}
	if inside {
		return "", errors.New("a string without end")
	}
	return b.String(), nil
}
