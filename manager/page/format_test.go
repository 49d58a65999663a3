package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
)

// A decoded is a snapshot as a program reads it from the JSON.
type decoded struct {
	Stats    struct{ Live, Waiting int }
	Holders  []decodedRequest
	Waiters  []decodedRequest
	LeftOut  int `json:"left_out"`
	MaxBytes int `json:"max_bytes"`
}

type decodedRequest struct {
	Number     uint64
	Label      string
	State      string
	Claims     []decodedClaim
	MoreClaims int      `json:"more_claims"`
	BlockedBy  []uint64 `json:"blocked_by"`
	More       int
	AtLeast    bool `json:"at_least"`
}

type decodedClaim struct {
	Node, Scope, Access string
	NodeBytes           int `json:"node_bytes"`
}

func (h nodesHarness) json(query string) (s decoded) {
	h.t.Helper()
	answer := h.get("/?format=json" + query)
	if err := json.Unmarshal(answer.Body.Bytes(), &s); err != nil || answer.Code != 200 {
		h.t.Fatalf("GET %s: %d, %v\n%.3000s", query, answer.Code, err, answer.Body)
	}
	return s
}

func TestJSONIsTheSnapshot(t *testing.T) {
	inBubble(t, func(h *harness) {
		h.submit("holder", treelock.Read("/a"))
		h.submit("waiter", treelock.WriteNode("/a/b"))
		h.submit("other", treelock.Write("/c"))
		want := decoded{
			Holders: []decodedRequest{{
				Number: 1, Label: "holder", State: "holding",
				Claims: []decodedClaim{{"/a", "subtree", "shared", 0}},
			}},
			Waiters: []decodedRequest{{
				Number: 2, Label: "waiter", State: "waiting", BlockedBy: []uint64{1},
				Claims: []decodedClaim{{"/a/b", "node", "exclusive", 0}},
			}},
		}
		want.Stats.Live, want.Stats.Waiting = 3, 1
		if diff := cmp.Diff(want, h.json("&below=/a")); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		got := h.json("&limit=1")
		if len(got.Holders)+len(got.Waiters) != 1 || got.LeftOut != 2 || got.MaxBytes != 0 {
			t.Errorf("limit=1: %+v, want one request and 2 left out", got)
		}
	})
}

func TestBlockersWithoutANameAreCounted(t *testing.T) {
	inBubble(t, func(h *harness) {
		for range 100 {
			h.submit("", treelock.Read("/a"))
		}
		h.submit("", treelock.Write("/a"))
		w := h.json("").Waiters[0]
		if w.More == 0 || !w.AtLeast || len(w.BlockedBy) == 0 {
			t.Fatalf("the test needs more blockers than a snapshot counts, not %+v", w)
		}
		h.wantText("/", 200, fmt.Sprintf("waits for #1 and %d or more", len(w.BlockedBy)-maxNamed+w.More))
		h.wantRaw("/?format=dot", fmt.Sprintf("waits for %d or more that are not drawn", w.More))
	})
}

// hostile has names and labels that try to leave their place.
var hostile = []string{
	`<script>alert(1)</script>`, `</style><script>x</script>`, `"><img src=x onerror=alert(1)>`,
	`' onclick='x`, "`${x}`", `{{.}}`, `javascript:x`, "line\nbreak\r\ttab", "\x00\x1b[31m\x7f",
	"\u202egnp.exe", "\u2066x\u2069", "\u200b\ufeff\u2028", "bad \xff\xc0\x80 utf8", "\xed\xa0\x80",
	`\" ] ; x -> y [ label="`, `\`, `\\"`, `\N\G\l`, `&lt;&amp;&#34;`, "<b>html label</b>",
	strings.Repeat(`"`, 100), strings.Repeat("ü", 50), "%s%n", " ",
}

func TestHostileNamesStayText(t *testing.T) {
	inBubble(t, func(h *harness) {
		for i, s := range hostile {
			node := treelock.PathOf(fmt.Sprint(i), s, "end")
			h.submit(s, treelock.Write(node))
			h.submit(s, treelock.Read(node))
		}
		long := treelock.PathOf(strings.Repeat("<i>\u202e", 2000))
		h.submit("", treelock.Write(long))
		h.submit("", treelock.Write(long))
		for _, query := range []string{
			"/", "/?below=/2", "/?below=" + url.QueryEscape(string(treelock.PathOf("2", hostile[2]))),
			"/?below=<script>x",
		} {
			page := h.get(query).Body.String()
			rest := strings.Replace(strings.Replace(page, pageCSS, "", 1), pageJS, "", 1)
			for _, bad := range []string{
				"<script>alert", "</style><script", "<img", "<i>", "<b>html", `" onerror`, `' onclick='`,
				`href="javascript`,
			} {
				if strings.Contains(rest, bad) {
					t.Errorf("GET %s: the page contains %q", query, bad)
				}
			}
			wantPrintable(t, "GET "+query, page)
			if regexp.MustCompile(`="` + strings.Repeat(`[^"]{1000}`, 4)).MatchString(rest) {
				t.Errorf("GET %s: the page has a very long attribute", query)
			}
			if len(page) > 400_000 {
				t.Errorf("GET %s: the page has %d bytes", query, len(page))
			}
		}
		h.wantText("/", 200, `\u202egnp.exe`, `bad \xff\xc0\x80 utf8`, "bytes) …")

		labels := make(map[string]bool)
		for _, r := range h.json("").Waiters {
			labels[r.Label] = true
		}
		for _, s := range hostile {
			if want := string([]rune(s)); !labels[want] { // each byte that is not UTF-8 is replaced
				t.Errorf("no request has the label %q", want)
			}
		}

		for _, query := range []string{"/?format=dot", "/?format=dot&limit=3"} {
			graph := h.get(query).Body.String()
			if err := checkDOT(graph); err != nil {
				t.Errorf("GET %s: %v\n%s", query, err, graph)
			}
			wantPrintable(t, "GET "+query, graph)
		}
		const label = `label="#1 “<script>alert(1)</script>”\nholds for 0 ms"]`
		h.wantRaw("/?format=dot", `r1 [shape=box style=filled fillcolor="#d9efe4" `+label,
			`r2 [shape=box style=dashed label="#2 “<script>alert(1)</script>”\nwaits for 0 ms"]`,
			"r2 -> r1 [", `label="write"`, `label="read"`, `“\\\" ] ; x`, `&amp;lt;&amp;amp;`, `\\N\\G\\l`)
	})
}

var statement = regexp.MustCompile(
	`^(label=S|rankdir=LR|(node|edge|[rn][0-9]+( -> [rn][0-9]+)?) \[[a-zS0-9= ]*\])$`)

// checkDOT parses the subset of DOT that the page uses.
func checkDOT(graph string) error {
	lines := strings.Split(strings.TrimSuffix(graph, "\n"), "\n")
	if len(lines) < 2 || lines[0] != "digraph locks {" || lines[len(lines)-1] != "}" {
		return errors.New("this is no graph")
	}
	for _, line := range lines[1 : len(lines)-1] {
		shape, err := replaceStrings(strings.TrimPrefix(line, "\t"))
		if err != nil || !statement.MatchString(shape) {
			return fmt.Errorf("%q: %q: %w", line, shape, err)
		}
	}
	return nil
}

// replaceStrings replaces each quoted string by an S.
func replaceStrings(line string) (string, error) {
	var b strings.Builder
	inString := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case inString && c == '\\':
			if i++; i == len(line) || !strings.ContainsRune(`\"n`, rune(line[i])) {
				return "", errors.New("a string has an unknown escape")
			}
		case c == '"':
			if inString = !inString; inString {
				b.WriteByte('S')
			}
		case inString && c == '&' && !strings.HasPrefix(line[i:], "&amp;"):
			return "", errors.New("a string has an entity")
		case !inString:
			b.WriteByte(c)
		}
	}
	if inString {
		return "", errors.New("a string has no end")
	}
	return b.String(), nil
}
