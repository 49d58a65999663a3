package page

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

var linksToNodes = regexp.MustCompile(`href="(\?below=[^"]*)"`)

// wantInAll checks that the answer in each format contains one string, with the escapes of the
// format, and does not contain another.
func (h nodesHarness) wantInAll(contains, not string) {
	h.t.Helper()
	quoted, err := json.Marshal(contains)
	if err != nil {
		h.t.Fatal(err)
	}
	h.wantText("/", 200, contains, "!"+not)
	for query, want := range map[string]string{
		"format=json": string(quoted[1 : len(quoted)-1]), "format=dot": dotEscapes.Replace(contains),
	} {
		body := h.get("/?" + query).Body.String()
		if !strings.Contains(body, want) || strings.Contains(body, not) {
			h.t.Errorf("GET %s: want %q and not %q in\n%.5000s", query, want, not, body)
		}
	}
}

// An integer is a node without a String method: 6 lies in 3, which lies in 1.
type integer int

func (n integer) Parent() (integer, bool) { return n / 2, n > 1 }

// A twoTexts is a node with a text for people and one for programs.
type twoTexts struct{ people, programs string }

func (n twoTexts) Parent() (twoTexts, bool)     { return twoTexts{}, false }
func (n twoTexts) String() string               { return n.people }
func (n twoTexts) MarshalText() ([]byte, error) { return []byte(n.programs), nil }

type pointer struct{ name string }

func (n *pointer) Parent() (*pointer, bool) { return nil, false }
func (n *pointer) String() string           { return n.name }

// A failing is a node whose MarshalText panics, or fails if it is negative.
type failing struct{ N int }

func (n failing) Parent() (failing, bool) { return n, false }

func (n failing) MarshalText() ([]byte, error) {
	if n.N < 0 {
		return []byte("half"), errors.New("no text")
	}
	panic("no text")
}

func TestNodeIsShownByItsNameWhateverItsMethodsReturn(t *testing.T) {
	t.Run("a number that begins like its ancestor", func(t *testing.T) {
		withNodes(t, nil, func(h nodesHarness) { h.wantText("/", 200, "1 1 holds", "13 1 waits") },
			integer(1), integer(13))
	})
	t.Run("a long name", func(t *testing.T) {
		long := strings.Repeat("s", 5000)
		withNodes(t, nil, func(h nodesHarness) {
			h.wantInAll(" … (5,000 bytes) … ", "(1,0")
			h.wantRaw("/?format=json", `"node_bytes": 5000`)
		}, twoTexts{long, long})
	})
	t.Run("a MarshalText that is longer than String", func(t *testing.T) {
		withNodes(t, nil, func(h nodesHarness) { h.wantInAll("short", "long long") },
			twoTexts{"short", strings.Repeat("long ", 1<<20)})
	})
	t.Run("an empty name", func(t *testing.T) {
		withNodes(t, nil, func(h nodesHarness) { h.wantText("/", 200, `"" 1 holds write #1`) }, twoTexts{})
	})
	t.Run("a nil pointer with a String method", func(t *testing.T) {
		withNodes(t, nil, func(h nodesHarness) {
			h.wantInAll("good", "bad")
			h.wantInAll("(String panicked)", "bad")
		}, nil, &pointer{"good"})
	})
	t.Run("a MarshalText that panics or fails", func(t *testing.T) {
		withNodes(t, nil, func(h nodesHarness) {
			h.wantInAll("{7} (MarshalText panicked)", "no text")
			h.wantInAll("{-7} (MarshalText failed)", "half")
		}, failing{7}, failing{-7})
	})
}

func TestDistinctNodesHaveDistinctNames(t *testing.T) {
	inBubble(t, func(h *harness) {
		h.submit("", treelock.Write(treelock.PathOf("caf\xe9")))
		h.submit("", treelock.Write(treelock.PathOf(`caf\xe9`)))
		h.wantInAll(`"/caf\xe9"`, "\ufffd")
		h.wantText("/", 200, ` /caf\xe9 1 holds`, `"/caf\xe9" 1 holds`)
		h.wantRaw("/?format=json&below=/caf%e9", `"below": "\"/caf\\xe9\""`)
		for _, name := range []string{"\xe9", "\xe8"} {
			h.submit("", treelock.Write(treelock.PathOf(name+strings.Repeat("x", 2*maxFull))))
		}
		var got manager.Snapshot[treelock.Path]
		if err := json.Unmarshal(h.get("/?format=json").Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		seen := make(map[treelock.Path]bool)
		for r := range got.All() {
			node := r.Claims[0].Node
			if seen[node] {
				t.Errorf("two nodes are %.50q in JSON", node)
			}
			seen[node] = true
		}
	})
}

func TestClipKeepsBothEndsAndWholeCharacters(t *testing.T) {
	for _, s := range []string{
		"", "short", strings.Repeat("x", maxShort), strings.Repeat("x", maxShort+1), strings.Repeat("ü", 500),
		strings.Repeat("→", 500), "a" + strings.Repeat("🙂", 500), strings.Repeat("\x80", 500),
	} {
		got := clip(s, len(s), maxShort)
		end := s[max(0, len(s)-maxShort/2+utf8.UTFMax):]
		if len(s) <= maxShort && got != s || len(got) > maxShort+40 || !strings.HasSuffix(got, end) {
			t.Errorf("clip(%d bytes) = %q", len(s), got)
		}
		if utf8.ValidString(s) != utf8.ValidString(got) {
			t.Errorf("clip(%q...) = %q cuts a character", s[:20], got)
		}
	}
	if got, want := clip("/beginning/of/a/long/path", 25, 10), "/begi … (25 bytes) … /path"; got != want {
		t.Errorf("clip = %q, want %q", got, want)
	}
}

func TestUnits(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 ms", 0: "0 ms", 999 * time.Microsecond: "0 ms", 340 * time.Millisecond: "340 ms",
		999999 * time.Microsecond: "999 ms", time.Second: "1.0 s", 9990 * time.Millisecond: "9.9 s",
		10 * time.Second: "10 s", 59999 * time.Millisecond: "59 s", time.Minute: "1 min 00 s",
		252 * time.Second: "4 min 12 s", time.Hour - 1: "59 min 59 s", time.Hour: "1 h 00 min",
		25 * time.Hour: "1 d 1 h", 1000 * time.Hour: "41 d 16 h",
	} {
		if got := age(d); got != want {
			t.Errorf("age(%v) = %q, want %q", d, got, want)
		}
	}
	for n, want := range map[uint64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 123456: "123,456", 1<<64 - 1: "18,446,744,073,709,551,615",
	} {
		if got := number(n); got != want {
			t.Errorf("number(%d) = %q, want %q", n, got, want)
		}
	}
	for micros, want := range map[float64]string{
		1: "< 1 ms", 512: "< 1 ms", 1024: "< 2 ms", 1 << 20: "< 1.1 s", 1 << 24: "< 17 s",
		1 << 27: "< 2 min 15 s", 1 << 64: "> 17 min",
	} {
		if got := upperBound(micros); got != want {
			t.Errorf("upperBound(%v) = %q, want %q", micros, got, want)
		}
	}
	for v, want := range map[float64]string{0: "0", 0.04: "0.0", 9.94: "9.9", 9.96: "10", 1234.5: "1,235"} {
		if got := rate(v); got != want {
			t.Errorf("rate(%v) = %q, want %q", v, got, want)
		}
	}
}
