package page

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

func TestFilterShowsRequestsThatReachTheNode(t *testing.T) {
	inBubble(t, func(h *harness) {
		h.submit("one", treelock.Write("/t/1"))
		h.submit("seventeen", treelock.Write("/t/17/a"))
		h.submit("both", treelock.Write("/t/17/b", "/u"))
		h.submit("elsewhere", treelock.Write("/u"))
		h.submit("late", treelock.Write("/u/x", "/t/17/c"))
		h.wantText("/?below=/t/17", 200, "seventeen", "both", "!elsewhere", "!one", "1 request waits",
			"blocks 1 or more", "Locks below /t/17: 1 wait", "!shown:")
		h.wantText("/?below=%2Ft%2f17%2Fa", 200, "seventeen", "!both", "No request waits")
		h.wantText("/?below=/t/2", 200, "Nothing here", "!Tree")
		h.wantText("/?below=", 200, "seventeen", "one")
		h.wantText("/?below=/t/17/c", 200, "late", "waits for requests that are not shown here")
		h.wantRaw("/?below=/t/17", `value="/t/17"`, `href="?below=%2ft%2f17%2fa"`)

		for _, typed := range []string{"t/1", "/t/1/", "t/1/", "//t/1", "/x/../t/1", "./t/1"} {
			h.wantText("/?below="+typed, 200, "one", "!both", "shown: below /t/1", "Locks below /t/1: 1")
			h.wantRaw("/?format=json&below="+typed, `"below": "/t/1"`)
			h.wantRaw("/?format=dot&below="+typed, `label="below /t/1"`)
		}
		long := "/" + strings.Repeat("x", 2*maxFull)
		h.wantText("/?below="+long, 200, "!shown:")
	})
}

func TestFilterAcceptsNamesAsThePageQuotesThem(t *testing.T) {
	inBubble(t, func(h *harness) {
		h.submit("mine", treelock.Write("/a\nb"))
		h.submit("other", treelock.Write("/ab"))
		for _, target := range []string{"/?below=/a%0ab", "/?below=%22/a%5cnb%22"} {
			h.wantText(target, 200, "mine", "!other", "!shown:")
			h.wantRaw(target, `value="&#34;/a\nb&#34;"`) // a browser would drop the line break
		}
	})
}

// Each link leads to its own node, even if that is named like the quoted name of another node.
func TestLinkOfANodeLeadsToThatNode(t *testing.T) {
	parse := func(s string) (twoTexts, error) { return twoTexts{s, s}, nil }
	names := []twoTexts{{"\n", "\n"}, {`"\n"`, `"\n"`}, {`\n`, `\n`}, {"`a`", "`a`"}}
	withNodes(t, parse, func(h nodesHarness) {
		targets := make(map[string]bool)
		for _, link := range linksToNodes.FindAllStringSubmatch(h.get("/").Body.String(), -1) {
			text := textIn(h.get("/" + link[1]).Body.String())
			_, tree, _ := strings.Cut(text, "Tree")
			targets[tree] = strings.Contains(text, "1 request holds")
		}
		if len(targets) != len(names) {
			t.Errorf("the links lead to %d nodes, want %d: %v", len(targets), len(names), targets)
		}
		for target, one := range targets {
			if !one {
				t.Errorf("a link leads to %q, want one request", target)
			}
		}
	}, names...)
}

func TestBadQueryIsRefusedWithTheReason(t *testing.T) {
	inBubble(t, func(h *harness) {
		for query, want := range map[string]string{
			"below=/" + strings.Repeat("a/", 5000) + "a": "too many ancestors",
			"below=/" + strings.Repeat("a", 12_000):      "a path is too long",
			"below=/a&below=/b":                          "the query has more than one below",
			"limit=1&limit=x":                            "the query has more than one limit",
			"below=%zz":                                  "the query cannot be read",
			"limit=0":                                    `limit "0": use a number from 1 to 2000`,
			"limit=-1":                                   `limit "-1": use`,
			"limit=2001":                                 `limit "2001": use`,
			"limit=x%0ay":                                `limit "x\ny": use`,
			"format=xml":                                 `format "xml": use html, json or dot`,
		} {
			h.wantText("/?"+query, 400, "Nothing can be shown", want)
			if strings.HasPrefix(query, "format") {
				continue
			}
			var got struct{ Error string }
			answer := h.get("/?format=json&" + query)
			err := json.Unmarshal(answer.Body.Bytes(), &got)
			if err != nil || answer.Code != 400 || !strings.Contains(got.Error, want) {
				t.Errorf("as JSON, %.40s: %d, %q, %v, want 400 and %q", query, answer.Code, got.Error, err, want)
			}
		}
		for _, query := range []string{
			"below=/" + strings.Repeat("x", maxBelow), strings.Repeat("a=b&", maxQuery/4) + "c",
			"format=json&below=" + strings.Repeat("x", maxBelow+1),
		} {
			if answer := h.get("/?" + query); answer.Code != 414 || answer.Body.Len() > 40_000 {
				t.Errorf("GET %.20s...: %d, %d bytes, want 414 and a short answer",
					query, answer.Code, answer.Body.Len())
			}
		}
		unchecked := func(s string) (treelock.Path, error) { return treelock.Path(s), nil }
		nodesHarness{t, HandlerNodes(h.manager, unchecked)}.wantText("/?below=a", 400, `must start with "/"`)
		for _, query := range []string{
			"below=/%e2%80%ae", "below=%ff", "below=/%00%1b", "limit=%ff", "format=%1b",
			"below=%ff&limit=0&format=dot", "below=/a%0ab",
		} {
			wantPrintable(t, query, h.get("/?"+query).Body.String())
		}
	}, manager.WithMaxPath(11_000))
}

// wantPrintable checks that all of text prints, except for line breaks and tabs.
func wantPrintable(t *testing.T, what, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s: the answer is not UTF-8", what)
	}
	for _, r := range text {
		if !unicode.IsPrint(r) && r != '\n' && r != '\t' {
			t.Errorf("%s: the answer contains %U", what, r)
		}
	}
}
