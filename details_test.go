package treelock_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/treelock/treelock"
)

func TestClaimThatCannotBeDecodedStaysAsItWas(t *testing.T) {
	claim := treelock.Write("/a").Claims()
	for c := range claim {
		was := c
		if err := json.Unmarshal([]byte(`{"node": "a//b", "scope": "node", "access": "shared"}`), &c); err == nil || c != was {
			t.Errorf("Unmarshal(a node that is no path) = %v, and the claim is %v, want an error and %v", err, c, was)
		}
	}
}

// binary is a node with a text that is not UTF-8.
type binary struct{ id byte }

func (binary) Parent() (binary, bool)         { return binary{}, false }
func (b binary) MarshalText() ([]byte, error) { return []byte{'n', b.id}, nil }

func TestNodesWhoseTextsAreNotUTF8StayDistinctInJSON(t *testing.T) {
	texts := map[string]bool{}
	for _, id := range []byte{0xe8, 0xe9} {
		text, err := json.Marshal(treelock.Claim[binary]{Node: binary{id}})
		if err != nil {
			t.Fatal(err)
		}
		texts[string(text)] = true
	}
	if len(texts) != 2 {
		t.Errorf("two nodes have the JSON %v, want two texts", texts)
	}
}

// errorWith returns an error with so many blockers.
func errorWith(blockers, more int) *blockedError {
	e := &blockedError{Op: "acquire", Err: treelock.ErrConflict, More: more}
	for i := range blockers {
		e.Blockers = append(e.Blockers, treelock.Blocker[treelock.Path]{Number: uint64(i + 1), Claim: treelock.Claim[treelock.Path]{Node: "/a"}})
	}
	return e
}

func TestLogNamesEightBlockersAndCountsTheOthers(t *testing.T) {
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "err", errorWith(20, 5))
	if !strings.Contains(log.String(), `#8 (`) || strings.Contains(log.String(), `#9 (`) || !strings.Contains(log.String(), `"17 more"`) {
		t.Errorf("the log has %s, want eight blockers and 17 more", &log)
	}
}

func TestTextsOfTheProgramStayOnOneLine(t *testing.T) {
	e := errorWith(1, 0)
	e.Op, e.Label = "two\nlines", "x"
	for _, text := range []string{e.Error(), (&treelock.PathError{Path: "/a", Rule: "two\nlines"}).Error()} {
		if strings.Contains(text, "\n") {
			t.Errorf("Error() = %q, want one line", text)
		}
	}
}

func TestLongTextsAreCutBetweenCharacters(t *testing.T) {
	for n := range 8 {
		p := treelock.Path("/" + strings.Repeat("x", n) + strings.Repeat("äü€😀😀", 300) + strings.Repeat("x", n))
		if got := fmt.Sprint(treelock.Read(p)); !utf8.ValidString(got) || strings.Contains(got, `\x`) || len(got) > 1000 {
			t.Errorf("String() = %s, want it cut between characters", got)
		}
	}
}
