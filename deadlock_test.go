package treelock_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/treelock/treelock"
)

// TestDeadlockErrorIsOneBoundedLine has labels and nodes that are long, of several lines, and not
// UTF-8, on a long circle with all kinds of links.
func TestDeadlockErrorIsOneBoundedLine(t *testing.T) {
	for _, hostile := range []string{"x\n#9 waits", "x\r\x1b[31m\u202e", "x\xff", strings.Repeat("y\n", 100_000)} {
		claim := treelock.Write(treelock.PathOf("x", hostile)).Claim(0)
		label := treelock.For[treelock.Path]().Labeled(hostile).Label() // its beginning
		err := &treelock.DeadlockError[treelock.Path]{Op: "acquire", Label: label, Claims: []treelock.Claim[treelock.Path]{claim}, MoreClaims: 1 << 40}
		for i := range 10_000 {
			err.Circle = append(err.Circle, treelock.DeadlockStep[treelock.Path]{
				Number: uint64(i + 1), Label: hostile, Link: treelock.Link(i % 4), Claim: claim, Wanted: claim,
			})
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "err", err)
		for name, text := range map[string]string{"Error()": err.Error(), "the log": strings.TrimSuffix(log.String(), "\n")} {
			if len(text) > 60_000 || strings.ContainsAny(text, "\n\r\x1b\u202e") || !utf8.ValidString(text) {
				t.Errorf("%s of %.10q has %d bytes, want one printable line of at most 60,000: %.500q", name, hostile, len(text), text)
			}
			if !strings.Contains(text, "9,984 more") {
				t.Errorf("%s of %.10q does not count the steps that it leaves out", name, hostile)
			}
		}
	}
	var none *treelock.DeadlockError[treelock.Path]
	if v := none.LogValue(); v.Any() != nil {
		t.Errorf("LogValue() of nil = %v, want nil", v)
	}
}
