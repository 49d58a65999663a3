package treelock_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/treelock/treelock"
)

func TestHostileNodesStayInTheirPlace(t *testing.T) {
	for want, req := range map[string]request{
		`read "/a\nb", write /c`:                treelock.Read("/a\nb").Write("/c"),
		`read "/a, write /b"`:                   treelock.Read("/a, write /b"),
		`read "/a; blocked by nothing"`:         treelock.Read("/a; blocked by nothing"),
		`read "/caf\xe9", read /caf` + "\ufffd": treelock.Read("/caf\xe9", "/caf\ufffd"),
		`read "/a and 5 more"`:                  treelock.Read("/a and 5 more"),
		`read "/a: all is well"`:                treelock.Read("/a: all is well"),
		`read "/a is blocked by nothing"`:       treelock.Read("/a is blocked by nothing"),
		`write "/a) "`:                          treelock.Write("/a) "),
		`write "/a, b", read /a`:                treelock.Write("/a, b").Read("/a"),
		`read "/a "`:                            treelock.Read("/a "),
		`read "/\u202egpj.exe"`:                 treelock.Read("/\u202egpj.exe"),
	} {
		if got := req.String(); got != want {
			t.Errorf("String() = %s, want %s", got, want)
		}
	}
}

// An empty text, or a space at an end of one, cannot be seen.
func TestNodesThatCannotBeSeenAreQuoted(t *testing.T) {
	req := treelock.Request[keyNode]{}.Read("", " ", "a", " a", "a ")
	if got, want := req.String(), `read "", read " ", read a, read " a", read "a "`; got != want {
		t.Errorf("String() = %s, want %s", got, want)
	}
}

func TestTextOfWideRequestIsBounded(t *testing.T) {
	paths := make([]treelock.Path, 300_000)
	for i := range paths {
		paths[i] = treelock.Path(fmt.Sprint("/", i))
	}
	req := treelock.Read(paths...)
	want := "read /0, read /1, read /2, read /3, read /4, read /5, read /6, read /7 and 299,992 more"
	if got := req.String(); got != want {
		t.Errorf("String() = %.300s, want %s", got, want)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "request", req.Labeled("scan"))
	if wantLog := `"request":{"claims":"` + want + `","label":"scan"}`; !strings.Contains(log.String(), wantLog) {
		t.Errorf("the log has %.400s, want %s", log.String(), wantLog)
	}
}

func TestErrorsAreLoggedWithTheirParts(t *testing.T) {
	one, two := treelock.Read("/a"), treelock.Write("/a/b")
	blocker := treelock.Blocker[treelock.Path]{Number: 7, Label: "x\ny", State: treelock.Holding, For: time.Second, Claim: one.Claim(0), Wanted: two.Claim(0)}
	err := &blockedError{Op: "acquire", Err: errors.New("two\nlines"), Waited: 2 * time.Second, Blockers: []treelock.Blocker[treelock.Path]{blocker}}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "err", err, "blocker", blocker)
	for _, want := range []string{
		`"err":{"error":"treelock: two\\nlines","op":"acquire","waited_ns":2000000000,` +
			`"blocked_by":["\"x\\ny\" (#7, read /a, holding for 1s)"]}`,
		`"blocker":{"number":7,"label":"x\ny","state":"holding","for_ns":1000000000,"claim":"read /a","wanted":"write /a/b"}`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log has\n%s\nwant in it\n%s", log.String(), want)
		}
	}
}

// A program may log what errors.As did not find, and errors that it made itself.
func TestLogLeavesOutWhatIsNotKnown(t *testing.T) {
	var none *blockedError
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "none", none, "zero", &blockedError{MoreClaims: 3})
	if want := `"none":null,"zero":{"error":"treelock: blocked","waited_ns":0}}`; !strings.Contains(log.String(), want) {
		t.Errorf("the log has %s, want %s", &log, want)
	}
	log.Reset()
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "none", none, "zero", &blockedError{Op: "drain", Waited: time.Second})
	if want := `none=<nil> zero.error="treelock: blocked" zero.op=drain zero.waited_ns=1s`; !strings.Contains(log.String(), want) {
		t.Errorf("the log has %s, want %s", &log, want)
	}
}
