package cluster

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// faults are faults that the tests of the log must find: in each, one text of a file is replaced.
var faults = []struct{ name, file, old, new string }{
	{"a request is granted before its own event", "transaction.go",
		"\t\tb.requests = append(b.requests, r)\n",
		"\t\tb.requests = append(b.requests, r)\n\t\tr.placed, r.entry.Token = true, token(l.revision+1, i)\n\t\tl.mirror.Arrive(&r.entry)\n"},
	{"a list is applied in another order", "replay.go",
		"cmp.Compare(a.revision, b.revision)", "cmp.Compare(b.revision, a.revision)"},
	{"a late transaction brings a key back", "commit.go",
		"clientv3.Compare(control, \"=\", strconv.FormatInt(t.n-1, 10))", "clientv3.Compare(control, \"!=\", strconv.FormatInt(-t.n, 10))"},
	{"a request is narrowed before what ends at the same revision", "replay.go",
		"\tpassEnd = iota\n\tpassNarrow\n", "\tpassNarrow = iota\n\tpassEnd\n"},
	{"requests are narrowed in another order", "peer.go",
		"cmp.Compare(a.entry.Token, b.entry.Token)", "cmp.Compare(b.entry.Token, a.entry.Token)"},
	{"a narrowing that comes early fences its session", "peer.go",
		"case !l.mirror.Granted(&m.entry):\n\t\t\treturn false\n\t\tcase !l", "case !l.mirror.Granted(&m.entry) || !l"},
	{"a request arrives before what ends at the same revision", "replay.go",
		"\tpassEnd = iota\n\tpassNarrow\n\tpassArrive\n\tnumPasses\n", "\tpassArrive = iota\n\tpassEnd\n\tpassNarrow\n\tnumPasses\n"},
	{"a batch of another session stays after a list", "replay.go",
		"kind: keyBatch}]; !ok {\n\t\t\t\tl.endBatch", "kind: keyBatch}]; !ok && false {\n\t\t\t\tl.endBatch"},
	{"the token has the index of another request", "replay.go",
		"uint64(revision)<<16 | uint64(i)", "uint64(revision)<<16 | uint64(i^1)"},
	{"a request that has ended arrives at its place", "replay.go",
		"if !r.ended && !r.placed {", "if !r.placed {"},
	{"an own request arrives again with a list", "replay.go",
		"if !r.ended && !r.placed {", "if !r.ended {"},
	{"a renewal counts without the read", "lease.go",
		"\tcase !r.sameTerm:\n\t\treturn false\n", ""},
	{"a lease is renewed that the read does not find", "lease.go",
		"\tcase r.control < 0:\n\t\tl.lose(errGone)\n\tcase r.control < r.first || ", "\tcase "},
	{"a deaf process keeps its lease", "lease.go",
		"if r.sent.Sub(s.boundSet) <= r.ttl {", "if true {"},
	{"a late answer counts for the next session", "transaction.go",
		"s == nil || s.lease != t.lease", "s == nil"},
	{"an answer says when a guard was put, if it was put before", "transaction.go",
		"if !applied {\n\t\t\trevision = 0", "if false {\n\t\t\trevision = 0"},
	{"what a guard keeps is free at once", "guard.go",
		"b.unguarded = append(b.unguarded, r)\n\treturn false", "b.unguarded = append(b.unguarded, r)\n\treturn true"},
	{"others end before the own requests are lost", "log.go",
		"\tl.mirror.LoseAll(cause)\n\tl.clearPeers()\n", "\tl.clearPeers()\n\tl.mirror.LoseAll(cause)\n"},
	{"a batch is deleted that is not over", "transaction.go",
		"case b.open == 0 && len(t.deleted)", "case b.open <= 1 && len(t.deleted)"},
	{"an amendment forgets what it said before", "transaction.go",
		"a.ended = append(a.ended, i)", "a.ended = append(a.ended[:0], i)"},
	{"a narrowing to nothing is not told", "transaction.go",
		"case r.narrowed != nil:", "case r.narrowed != nil && len(*r.narrowed) > 0:"},
	{"amendments take more than there is room for", "transaction.go",
		"&& size <= room:", "&& size > 0:"},
	{"requests take more than there is room for", "transaction.go",
		"size > min(room, maxBatchLen)", "size > maxBatchLen"},
	{"a narrowing of any size is taken", "log.go",
		"all > maxBatchLen {", "all > 1<<30 {"},
	{"requests that have ended are kept while there is no session", "transaction.go",
		"l.dropped > len(l.unsent)/2 || ready", "ready"},
	{"a long step grants after the deadline", "replay.go",
		"if l.Tick(); l.session == nil {", "if l.session == nil {"},
	{"an older list counts", "replay.go",
		"if revision < l.revision {", "if revision < 0 {"},
	{"a list grants what a session waits for that it shows as fenced", "replay.go",
		"c.key.lease == l.session.lease && c.bad != nil {", "false {"},
	{"an empty mirror has a revision", "fresh.go",
		"func (l *log) reached(revision int64) {\n\tif l.session == nil {", "func (l *log) reached(revision int64) {\n\tif false {"},
	{"a bad value at a key that is not known is nothing", "replay.go",
		"\tcase c.bad != nil:\n\t\tl.lose(c.bad)", "\tcase c.bad != nil && b != nil:\n\t\tl.lose(c.bad)"},
	{"a foreign amendment is believed by others alone", "replay.go",
		"!b.says(c.amendment)", "false"},
	{"a foreign batch is believed by others alone", "replay.go",
		"c.key.n > l.session.applied:", "c.key.n > 1<<40:"},
	{"a batch is overwritten", "watch.go",
		"ch.key.kind == keyBatch && kv.Version > 1", "kv.Version > 1<<40"},
	{"a key outlives its session", "watch.go",
		"kv.Lease != ch.key.lease || ", ""},
	{"an index is negative", "keys.go",
		"&& r.index >= 0", ""},
	{"a number of a batch is negative", "keys.go",
		"r.n > 0 && ", ""},
	{"a number has several forms", "values.go",
		" || size > 1 && r.rest[size-1] == 0", ""},
	{"an index is larger than a batch", "values.go",
		"if next > maxBatch ||", "if"},
}

// TestFaultsFitTheLog checks that each fault still changes its file.
func TestFaultsFitTheLog(t *testing.T) {
	for _, f := range faults {
		text, err := os.ReadFile(f.file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), f.old); n != 1 {
			t.Errorf("%s: %q is in %s %d times, want once", f.name, f.old, f.file, n)
		}
	}
}

// TestFaultsAreFound puts one fault after the other into the log: the other tests of this package
// must fail. With TREELOCK_TESTS=faults it tries the first twelve, which are those of the
// protocol, and with TREELOCK_TESTS=long all.
func TestFaultsAreFound(t *testing.T) {
	which := os.Getenv("TREELOCK_TESTS")
	if which != "faults" && which != "long" {
		t.Skip("it builds the package for each fault; TREELOCK_TESTS=faults runs it")
	}
	for i, f := range faults {
		if i >= 12 && which != "long" {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			out := tryFault(t, f.file, f.old, f.new)
			if !strings.Contains(out, "--- FAIL") && !strings.Contains(out, "panic: ") {
				t.Errorf("it was not found:\n%s", out)
			}
			for line := range strings.Lines(out) {
				if strings.Contains(line, "_test.go:") || strings.HasPrefix(line, "panic: ") {
					t.Log(strings.TrimSpace(line))
					break
				}
			}
		})
	}
}

// tryFault runs the other tests with a fault, and returns what they print.
func tryFault(t *testing.T, file, old, new string) string {
	good, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	bad, overlay := filepath.Join(dir, file), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{good: bad}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{bad: strings.Replace(string(text), old, new, 1), overlay: string(replace)} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-overlay", overlay, "-vet=off", "-ldflags=-s -w", "-count=1", "-failfast",
		"-skip", "Faults", "-timeout", "2m", ".")
	cmd.Env = append(os.Environ(), "TREELOCK_TESTS=")
	out, err := cmd.CombinedOutput()
	if err == nil {
		return "the tests passed"
	}
	return string(out)
}
