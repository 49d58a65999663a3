package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/treelock/treelock/examples/objectfs/internal/fakes3"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A writer keeps what is written to it, and calls seen when that has said a word for the first time.
type writer struct {
	bytes.Buffer
	word string
	seen func()
}

func (w *writer) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if w.seen != nil && strings.Contains(w.String(), w.word) {
		w.seen()
		w.seen = nil
	}
	return n, err
}

// loadedWord is what the command says when the folders are loaded and the clients have not begun.
const loadedWord = "Loaded.\n"

// someFiles makes a small directory tree.
func someFiles(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for i := range 12 {
		path := filepath.Join(dir, fmt.Sprintf("dir-%d", i%4), fmt.Sprint(i))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(path), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func fileURL(dir string) string { return "file://" + filepath.ToSlash(dir) }

// wantRun runs the command and checks its exit code and words that it must say.
func wantRun(t *testing.T, code int, args []string, words ...string) (output string) {
	t.Helper()
	return wantRunTo(t, t.Context(), &writer{}, code, args, words...)
}

func wantRunTo(t *testing.T, ctx context.Context, stdout *writer, code int, args []string, words ...string) (output string) {
	t.Helper()
	var stderr bytes.Buffer
	got := run(ctx, args, stdout, &stderr)
	output = stdout.String() + stderr.String()
	if got != code {
		t.Errorf("objectfs %q exits with %d, want %d\n%s", args, got, code, output)
	}
	for _, word := range words {
		if !strings.Contains(output, word) {
			t.Errorf("objectfs %q does not say %q:\n%s", args, word, output)
		}
	}
	if strings.Contains(output, "goroutine ") {
		t.Errorf("objectfs %q shows a stack trace:\n%s", args, output)
	}
	return output
}

var sound = []string{"Torn folders: 0\n", "Lost folders: 0\n", "Mixed folders: 0\n", "Stale folders: 0\n", "Stray files: 0\n", "Wrong reads: 0\n"}

// What a fresh clone runs, but for the number of operations.
func TestDefaultRunLoadsTheGoSourceAndEndsSound(t *testing.T) {
	wantRun(t, exitOK, []string{"-ops", "100"},
		append(sound, filepath.Join("src", "net"), "mem://", "Throughput: ", "99th percentile", "Longest queue: ", "rename folder")...)
}

func TestEveryBucketEndsSoundAndIsLeftAsItWas(t *testing.T) {
	load := someFiles(t)
	t.Run("file", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o666); err != nil {
			t.Fatal(err)
		}
		wantRun(t, exitOK, []string{"-load", load, "-bucket", fileURL(dir), "-ops", "50"}, sound...)
		wantEntries(t, dir, "mine")
	})
	t.Run("s3", func(t *testing.T) {
		url := fakes3.Start(t)
		wantRun(t, exitOK, []string{"-load", load, "-bucket", url, "-ops", "30", "-prefix", "same"}, sound...)
		// The same prefix is free again.
		wantRun(t, exitOK, []string{"-load", load, "-bucket", url, "-ops", "30", "-prefix", "same"}, sound...)
	})
}

func wantEntries(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if got := strings.Join(names, " "); got != strings.Join(want, " ") {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

func TestKeepLeavesTheFolders(t *testing.T) {
	dir := t.TempDir()
	wantRun(t, exitOK, []string{"-load", someFiles(t), "-bucket", fileURL(dir), "-ops", "20", "-prefix", "p/q/", "-keep"}, "p/q")
	entries, err := os.ReadDir(filepath.Join(dir, "p", "q"))
	if err != nil || len(entries) == 0 {
		t.Errorf("the prefix holds %v, %v, want folders", entries, err)
	}
}

func TestCompareShowsAllKindsSideBySide(t *testing.T) {
	output := wantRun(t, exitOK, []string{"-load", someFiles(t), "-compare", "-ops", "60", "-latency", "1ms"},
		"against global", "wait, longest", "torn folders")
	header := ""
	for line := range strings.Lines(output) {
		if strings.HasPrefix(line, "│ locks") {
			header = strings.Join(strings.Fields(strings.ReplaceAll(line, "│", " ")), " ")
		}
	}
	if want := "locks tree global none"; header != want {
		t.Errorf("the header is %q, want %q:\n%s", header, want, output)
	}
}

func TestWrongUsageExitsWith2(t *testing.T) {
	for _, test := range []struct{ args, says string }{
		{"-nonsense", "not defined: -nonsense"},
		{"-clients x", "invalid value"},
		{"-clients 0", "-clients 0: use 1 or more"},
		{"-ops 0", "-ops 0: use 1 or more"},
		{"-ops -5", "-ops -5: use 1 or more"},
		{"-latency -1s", "-latency -1s: use 0 or more"},
		{"-seed -1", "invalid value"},
		{"-locks some", `-locks "some": use tree, global or none`},
		{"-compare -locks none", "-compare runs all kinds of locks"},
		{"extra", `unexpected argument "extra"`},
		{"-http :0 -locks none", "-http shows the locks of a tree"},
		{"-http :0 -locks global", "-http shows the locks of a tree"},
		{"-http 8080", `-http "8080": use HOST:PORT or :PORT`},
		{"-prefix /", `-prefix "/": use a name`},
		{"-bucket /tmp", `-bucket "/tmp": use mem://, file:///DIR or s3://NAME`},
		{"-bucket gs://b", `use mem://, file:///DIR or s3://NAME`},
		{"-bucket file://tmp/b", "use three slashes"},
		{"-bucket %", "invalid URL escape"},
	} {
		output := wantRun(t, exitUsage, strings.Fields(test.args), test.says)
		if !strings.HasPrefix(output, "objectfs: ") || strings.Count(output, "\n") != 1 {
			t.Errorf("objectfs %s: the message is %q, want one line from objectfs", test.args, output)
		}
	}
}

func TestHelpIsNoError(t *testing.T) {
	wantRun(t, exitOK, []string{"-h"}, "Usage of objectfs", "-latency", "-compare", "-http")
}

func TestWhatCannotBeUsedExitsWith1AndSaysWhy(t *testing.T) {
	load := someFiles(t)
	file := filepath.Join(load, "dir-0", "0")
	s3 := fakes3.Start(t)
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"-load", filepath.Join(load, "missing")}, "no such file or directory: pass a directory"},
		{[]string{"-load", file}, "not a directory: pass a directory"},
		{[]string{"-load", t.TempDir()}, "no regular file in it: pass another directory"},
		{[]string{"-load", load, "-bucket", fileURL(load) + "/missing"}, "no such file or directory: check its address"},
		{[]string{"-load", load, "-bucket", fileURL(file)}, "not a directory: check its address"},
		{[]string{"-load", load, "-bucket", "mem://?x=y"}, `invalid query parameter "x": check its address`},
		{[]string{"-load", load, "-bucket", strings.Replace(s3, "bucket", "missing", 1)}, "check its address, and that it exists"},
	} {
		wantRun(t, exitFailed, test.args, "objectfs: ", test.says)
	}
}

func TestWithoutGoTheMessageNamesLoad(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	wantRun(t, exitFailed, nil, "objectfs: ", "pass -load DIR")
}

func TestUnreachableBucketIsToldInTime(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	start := time.Now()
	_, err = openBucket(t.Context(), fakes3.URL(t, "bucket", "http://"+silent.Addr().String()), 50*time.Millisecond)
	if want := "no answer within 50ms"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("openBucket = %v, want %q", err, want)
	}
	if took := time.Since(start); took > 3*time.Second { // generous: the client's own patience is half a minute
		t.Errorf("it took %v to say so", took)
	}
}

func TestSweepRemovesNoFile(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"p/empty/empty", "p/full", "q/empty"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "p", "full", "mine"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	(&bucket{dir: dir}).sweep("p")
	wantEntries(t, dir, "p", "q")
	wantEntries(t, filepath.Join(dir, "p"), "full")
	wantEntries(t, filepath.Join(dir, "p", "full"), "mine")
}

func TestPrefixInUseIsRefused(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "photos", "cat.jpg")
	if err := os.MkdirAll(filepath.Dir(mine), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(mine, []byte("cat"), 0o666); err != nil {
		t.Fatal(err)
	}
	wantRun(t, exitFailed, []string{"-load", someFiles(t), "-bucket", fileURL(dir), "-prefix", "photos"},
		`"photos": there is something below this prefix already`)
	if data, err := os.ReadFile(mine); string(data) != "cat" {
		t.Errorf("the file that was there holds %q, %v", data, err)
	}
	wantEntries(t, filepath.Dir(mine), "cat.jpg")
}

func TestInterruptStopsCleanlyAndReports(t *testing.T) {
	for name, test := range map[string]struct {
		word     string
		reported bool
	}{
		"before the folders are loaded": {"clients do", false},
		"before the clients begin":      {loadedWord, true},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			dir := t.TempDir()
			output := wantRunTo(t, ctx, &writer{word: test.word, seen: cancel}, exitInterrupted,
				[]string{"-load", someFiles(t), "-bucket", fileURL(dir), "-ops", "1000000"})
			if got := strings.Contains(output, "Stopped after 0 of 1000000 operations."); got != test.reported {
				t.Errorf("reported: %t, want %t:\n%s", got, test.reported, output)
			}
			wantEntries(t, dir)
		})
	}
}

func TestDamageInSpiteOfLocksExitsWith1(t *testing.T) {
	dir := t.TempDir()
	sabotage := func() {
		if err := os.RemoveAll(filepath.Join(dir, "p", "area-01")); err != nil {
			t.Error(err)
		}
	}
	wantRunTo(t, t.Context(), &writer{word: loadedWord, seen: sabotage}, exitFailed,
		[]string{"-load", someFiles(t), "-bucket", fileURL(dir), "-prefix", "p", "-ops", "1"},
		"Lost folders: ", "p/area-01/slot-0: lost", "in spite of locks")
}

func TestDamageWithoutLocksIsWhatWasAskedFor(t *testing.T) {
	dir := t.TempDir()
	sabotage := func() {
		if err := os.RemoveAll(filepath.Join(dir, "p", "area-01")); err != nil {
			t.Error(err)
		}
	}
	wantRunTo(t, t.Context(), &writer{word: loadedWord, seen: sabotage}, exitOK,
		[]string{"-load", someFiles(t), "-bucket", fileURL(dir), "-prefix", "p", "-ops", "1", "-locks", "none"},
		"p/area-01/slot-0: lost")
}
