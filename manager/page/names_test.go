package page

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// withNodes runs a test with the page of a manager whose nodes, of any type, are each claimed by a request.
func withNodes[N treelock.Node[N]](t *testing.T, test func(h *house), nodes ...N) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m := manager.StartNodes[N](ctx)
		defer func() { cancel(); <-m.Done() }()
		for _, n := range nodes {
			if _, err := m.Submit(ctx, treelock.Request[N]{}.Write(n)); err != nil {
				t.Fatal(err)
			}
		}
		test(&house{t: t, handler: HandlerNodes[N](m, nil)})
	})
}

// wantInAll checks that all formats have text, with the escapes of each, and not what they must not have.
func (h *house) wantInAll(text, not string) {
	h.t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		h.t.Fatal(err)
	}
	h.wantText("/", 200, text, "!"+not)
	for query, want := range map[string]string{"format=json": string(quoted[1 : len(quoted)-1]), "format=dot": dotEscapes.Replace(text)} {
		if body := h.get("/?" + query).Body.String(); !strings.Contains(body, want) || strings.Contains(body, not) {
			h.t.Errorf("GET %s: want %q and not %q in\n%.5000s", query, want, not, body)
		}
	}
}

type numbered int

func (n numbered) Parent() (numbered, bool) { return n / 2, n > 1 }

// A pair has a text for people and one for machines.
type pair struct{ people, machines string }

func (p pair) Parent() (pair, bool)         { return pair{}, false }
func (p pair) String() string               { return p.people }
func (p pair) MarshalText() ([]byte, error) { return []byte(p.machines), nil }

type pointed struct{ name string }

func (p *pointed) Parent() (*pointed, bool) { return nil, false }
func (p *pointed) String() string           { return p.name }

type unmarshalable struct{ N int }

func (u unmarshalable) Parent() (unmarshalable, bool) { return u, false }
func (u unmarshalable) MarshalText() ([]byte, error)  { panic("no text") }

func TestNodeNameIsWholeAndTrue(t *testing.T) {
	t.Run("a number that begins like its ancestor", func(t *testing.T) {
		withNodes(t, func(h *house) { h.wantText("/", 200, "1 1 holds", "13 1 waits") }, numbered(1), numbered(13))
	})
	t.Run("of a long name the length is told", func(t *testing.T) {
		long := strings.Repeat("s", 5000)
		withNodes(t, func(h *house) {
			h.wantInAll(" … (5,000 bytes) … ", "(1,0")
			if body := h.get("/?format=json").Body.String(); !strings.Contains(body, `"node_bytes": 5000`) {
				t.Errorf("node_bytes is not 5000:\n%.3000s", body)
			}
		}, pair{long, long})
	})
	t.Run("MarshalText says much more than String", func(t *testing.T) {
		withNodes(t, func(h *house) { h.wantInAll("short", "long long") }, pair{"short", strings.Repeat("long ", 1<<20)})
	})
	t.Run("an empty name", func(t *testing.T) {
		withNodes(t, func(h *house) { h.wantText("/", 200, `"" 1 holds write #1`) }, pair{})
	})
	t.Run("a nil pointer with a String method", func(t *testing.T) {
		withNodes(t, func(h *house) {
			h.wantInAll("good", "bad")
			h.wantInAll("(String panicked)", "bad")
		}, nil, &pointed{"good"})
	})
	t.Run("a MarshalText that panics", func(t *testing.T) {
		withNodes(t, func(h *house) { h.wantInAll("{7} (MarshalText panicked)", "no text") }, unmarshalable{7})
	})
}

func TestDistinctNodesLookDistinct(t *testing.T) {
	inside(t, func(h *house) {
		h.submit("", treelock.Write(treelock.PathOf("caf\xe9")))
		h.submit("", treelock.Write(treelock.PathOf(`caf\xe9`)))
		h.wantInAll(`"/caf\xe9"`, "\ufffd")
		h.wantText("/", 200, ` /caf\xe9 1 holds`, `"/caf\xe9" 1 holds`)
		for _, name := range []string{"\xe9", "\xe8"} { // longer than is shown
			h.submit("", treelock.Write(treelock.PathOf(name+strings.Repeat("x", 2000))))
		}
		var got manager.Snapshot[treelock.Path]
		if err := json.Unmarshal(h.get("/?format=json").Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		seen := make(map[treelock.Path]bool)
		for r := range got.All() {
			if node := r.Claims[0].Node; seen[node] {
				t.Errorf("two nodes are %.50q in JSON", node)
			} else {
				seen[node] = true
			}
		}
		if body := h.get("/?format=json&below=/caf%e9").Body.String(); !strings.Contains(body, `"below": "\"/caf\\xe9\""`) {
			t.Errorf("the JSON does not say which node it is about:\n%.3000s", body)
		}
	})
}

// A node can be called what the page makes of another one: each link leads to its own.
func TestLinkOfANodeLeadsToIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m := manager.StartNodes[pair](ctx)
		defer func() { cancel(); <-m.Done() }()
		h := &house{t: t, handler: HandlerNodes(m, func(s string) (pair, error) { return pair{s, s}, nil })}
		for _, name := range []string{"\n", `"\n"`, `\n`, "`a`"} {
			if _, err := m.Submit(ctx, treelock.Request[pair]{}.Write(pair{name, name}).Labeled("of "+name)); err != nil {
				t.Fatal(err)
			}
		}
		links := regexp.MustCompile(`href="(\?below=[^"]*)"`).FindAllStringSubmatch(h.get("/").Body.String(), -1)
		seen := make(map[string]bool)
		for _, link := range links {
			text := textIn(h.get("/" + link[1]).Body.String())
			seen[text[strings.Index(text, "Tree"):]] = true
			if !strings.Contains(text, "1 request holds") {
				t.Errorf("%s leads to %s", link[1], text)
			}
		}
		if len(links) != 4 || len(seen) != 4 {
			t.Errorf("%d links lead to %d nodes, want 4: %q", len(links), len(seen), links)
		}
	})
}

// The page quotes what does not print. The filter takes what stands on the page.
func TestFilterTakesWhatThePageQuotes(t *testing.T) {
	inside(t, func(h *house) {
		h.submit("mine", treelock.Write("/a\nb"))
		h.submit("other", treelock.Write("/ab"))
		for _, target := range []string{"/?below=/a%0ab", "/?below=%22/a%5cnb%22"} {
			h.wantText(target, 200, "mine", "!other", "!shown:")
			body := h.get(target).Body.String()
			if !strings.Contains(body, `value="&#34;/a\nb&#34;"`) {
				t.Errorf("GET %s: the field of the filter is not what shows this again:\n%s", target, body)
			}
			wantPrintable(t, "GET "+target, body)
		}
		for _, bad := range []string{"below=/%e2%80%ae", "below=%ff", "below=/%00%1b", "limit=%ff", "format=%1b", "below=%ff&limit=0&format=dot"} {
			wantPrintable(t, "GET "+bad, h.get("/?"+bad).Body.String())
		}
	})
}
