package fuzz_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/treelock/treelock/fuzz/locktest"
)

// reached has a pattern for every command and every consequence, which the corpus of FuzzManager
// must reach.
var reached = []string{
	`^acquire \w+ (read|write)`, `^acquire \w+ within 10ms`, `^acquire \w+ within 0s`, `^submit \w+ (read|write)`, `^submit \w+ within 0s`,
	`^no-receive`, `^receive`, `^try`, `^cancel`, `^withdraw`, `^release`, `^narrow`, `^token`, `^pass`, `^drain \w+$`, `^drain \w+ within 10ms`, `^drain \w+ within 0s`, `^stop`, `^submit \w+ within 10ms`,
	`^burst`, `^manager .*max-waiting=0`, `^manager .*max-waiting=1`, `^manager .*idle-nodes=0`, `^manager .*first-token=1000`,
	` & .* & .* & `, ` read /a`, ` write /a`, ` read-node /a`, ` write-node /a`, ` nothing`,
	`: granted$`, `: waits for \w+, \w+`, `: withdrawn$`, `: canceled$`, `: timed out$`, `: stopped$`, `: drained$`,
	`: refused, would have to wait: blocked by \w+ \(waiting`, `: refused, too many wait: blocked by \w+ \(holding`, `: canceled: blocked by`, `: timed out: blocked by`, `: refused, draining$`, `: does not hold that$`, `: token \d+$`,
	`^acquire \w+ inside \w+ `, `^acquire \w+ inside \w+ under`, `^acquire \w+ under`, `^try \w+ inside`, `^widen \w+ of \w+ `, `^widen \w+ of \w+ under`, `^try-widen`, `^wait \w+ under`, `^check`, `^holds`,
	`: widened$`, `: released$`, `: holds that$`, `: would be granted$`, `: refused, widening$`, `: refused, deadlock: (\w+) waits for (\w+), \w+ is held by the caller of \w+$`,
	`: refused, deadlock: .*, .*, `, `: refused, deadlock: .* inside it, `, `: refused, deadlock: (\w+) waits for \w+, \w+ waits for \w+$`, `waits for \w+, [^&\n]*\n\w+: widened`,
	`^suspend \w+ /`, `^suspend \w+ under \w+ /`, `^suspend \w+ within 0s`, `^suspend \w+ (under \w+ )?within 10ms`, `^suspend .* & | & suspend`, `^resume`, `^old`,
	`: suspended$`, `^suspend \w+ [^&\n]*\n----\n\w+: waits for`, `: refused, suspended: `, `: refused, deadlock: \w+ is held by the caller of this call$`, `: refused, deadlock: .*is held by the caller of a suspend until `,
	`^stop .* & (acquire|submit|no-receive|try)|(acquire|submit|no-receive|try) .* & stop`, `^(cancel|withdraw) .* & release|^release .* & (cancel|withdraw)`,
}

// TestCorpusReachesEverything plays the corpus in testdata, and looks for the patterns.
func TestCorpusReachesEverything(t *testing.T) {
	var all strings.Builder
	for _, data := range corpus(t, "FuzzManager") {
		all.WriteString(locktest.Play(t, locktest.Manager, data))
	}
	checkReached(t, reached, all.String())
}

// corpus returns the inputs of one target in testdata.
func corpus(t *testing.T, target string) (inputs [][]byte) {
	files, err := filepath.Glob("testdata/fuzz/" + target + "/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("the corpus of %s has %d files, %v, want some", target, len(files), err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, quoted, _ := strings.Cut(string(text), "\n[]byte(")
		data, err := strconv.Unquote(strings.TrimSuffix(strings.TrimSpace(quoted), ")"))
		if err != nil {
			t.Fatalf("%s is no input of one []byte: %v", name, err)
		}
		inputs = append(inputs, []byte(data))
	}
	return inputs
}
