package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/treelock/treelock/examples/objectfs/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wantRun runs the command in s, with the files beside this one unless args say otherwise. It
// checks the exit code, texts that the command must print, and that it leaves no object in s.
func wantRun(t *testing.T, ctx context.Context, s store.Store, code int, args []string, texts ...string) (output string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	got := Run(ctx, s, append([]string{"-load", "."}, args...), &stdout, &stderr)
	output = stdout.String() + stderr.String()
	if got != code {
		t.Errorf("objectfs %q exits with %d, want %d\n%s", args, got, code, output)
	}
	for _, text := range texts {
		if !strings.Contains(output, text) {
			t.Errorf("objectfs %q does not print %q:\n%s", args, text, output)
		}
	}
	if keys, err := s.List(context.WithoutCancel(ctx), ""); len(keys) > 0 || err != nil {
		t.Errorf("objectfs %q leaves %q, %v in the store", args, keys, err)
	}
	return output
}

func TestDefaultRunLoadsTheGoSourceAndEndsWithAVerdict(t *testing.T) {
	output := wantRun(t, t.Context(), store.NewMemory(), ExitOK, []string{"-load", "", "-ops", "1000"})
	want := `^32 clients rename, .* of the [0-9]+ files in .*src.net, 1,000 operations in all; then every folder is verified\.
OK: 1,000 operations, 0 failed, all 104 folders verified intact

locks +tree
`
	if !regexp.MustCompile(want).MatchString(output) {
		t.Errorf("the output does not match %q:\n%s", want, output)
	}
}

func TestCompareShowsAllKindsSideBySide(t *testing.T) {
	wantRun(t, t.Context(), store.NewMemory(), ExitOK,
		[]string{"-compare", "-ops", "60", "-latency", "1us", "-clients", "1"},
		"locks tree: OK: 60", "locks global: OK: 60", "locks none: OK: 60", "tree    global      none\n", "against global")
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
		{"-http :0 -locks none", "-http shows tree locks"},
	} {
		output := wantRun(t, t.Context(), store.NewMemory(), ExitUsage, strings.Fields(test.args), test.says)
		if !strings.HasPrefix(output, "objectfs: ") || strings.Count(output, "\n") != 1 {
			t.Errorf("objectfs %s prints %q, want one line from objectfs", test.args, output)
		}
	}
}

func TestFewerOperationsAreTheDefaultWithLatency(t *testing.T) {
	for flag, want := range map[string]int{"-seed=1": opsHere, "-latency=1ms": opsRemote} {
		if c, err := parse([]string{flag}, io.Discard); c.ops != want || err != nil {
			t.Errorf("with %s there are %d operations, %v, want %d", flag, c.ops, err, want)
		}
	}
}

func TestHelpIsNoError(t *testing.T) {
	wantRun(t, t.Context(), store.NewMemory(), ExitOK, []string{"-h"}, "Usage of objectfs", "-latency", "-compare", "-http")
}

func TestJobThatCannotRunExitsWith1AndSaysWhy(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	t.Setenv("PATH", t.TempDir())
	for says, args := range map[string][]string{
		"objectfs: load ":         {"-load", filepath.Join(t.TempDir(), "missing")},
		"pass -load DIR":          {"-load", ""}, // as there is no go command
		"objectfs: -http: listen": {"-http", taken.Addr().String()},
	} {
		output := wantRun(t, t.Context(), store.NewMemory(), ExitFailed, args, "objectfs: ", says)
		if strings.Contains(output, "clients rename") {
			t.Errorf("objectfs %q begins all the same:\n%s", args, output)
		}
	}
}

func TestInterruptStopsCleanlyAndReports(t *testing.T) {
	for step, report := range map[string]string{
		"write": "context canceled", // while the folders are loaded
		"copy":  "STOPPED: ",        // while the clients work
	} {
		t.Run(step, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s := store.Before(store.NewMemory(), func(_ context.Context, got string) error {
				if strings.HasPrefix(got, step) {
					cancel()
				}
				return nil
			})
			wantRun(t, ctx, s, ExitInterrupted, []string{"-ops", "1000000"}, report)
		})
	}
}

// onFirst returns a store that calls do with the prefix of the job before the first step of a
// kind.
func onFirst(t *testing.T, step string, do func(s store.Store, prefix string) error) store.Store {
	var once sync.Once
	s := store.NewMemory()
	return store.Before(s, func(_ context.Context, got string) (err error) {
		if key, ok := strings.CutPrefix(got, step+" "); ok {
			prefix, _, _ := strings.Cut(key, "/")
			once.Do(func() { err = do(s, prefix) })
		}
		return err
	})
}

func TestDamageExitsWith1UnlessThereAreNoLocks(t *testing.T) {
	damage := func(s store.Store, prefix string) error { return s.Write(t.Context(), prefix+"/x", nil) }
	for locks, want := range map[string]struct {
		code    int
		verdict string
	}{
		"tree": {ExitFailed, "FAILED"}, "global": {ExitFailed, "FAILED"}, "none": {ExitOK, "FAILED, as there are no locks"},
	} {
		wantRun(t, t.Context(), onFirst(t, "copy", damage), want.code,
			[]string{"-ops", "100", "-clients", "1", "-locks", locks},
			want.verdict+": 100 operations, 0 failed, 0 of 104 folders damaged, 1 stray files\n", "/x: stray: a file outside")
	}
}

func TestFailedOperationExitsWith1(t *testing.T) {
	down := func(store.Store, string) error { return errors.New("the store is down") }
	wantRun(t, t.Context(), onFirst(t, "copy", down), ExitFailed,
		[]string{"-ops", "100", "-clients", "1"},
		"FAILED: 100 operations, 1 failed, all 104 folders verified intact\n", "failed: objectfs: ", "the store is down")
}

// browse gets a URL over a connection of its own.
func browse(url string) (body []byte, err error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return io.ReadAll(answer.Body)
}

// A client looks at the page while it holds locks, so there is a request to see.
func TestPageShowsTheOperationsAndEndsWithTheJob(t *testing.T) {
	var stdout bytes.Buffer
	var url string
	var page struct{ Holders []struct{ Label string } }
	look := func(store.Store, string) error {
		url = regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+/debug/locks`).FindString(stdout.String())
		body, err := browse(url + "?format=json")
		return errors.Join(err, json.Unmarshal(body, &page))
	}
	s := onFirst(t, "copy", look)
	args := []string{"-load", ".", "-http", "127.0.0.1:0", "-ops", "100", "-clients", "1"}
	if code := Run(t.Context(), s, args, &stdout, io.Discard); code != ExitOK {
		t.Errorf("objectfs exits with %d:\n%s", code, stdout.String())
	}
	if len(page.Holders) != 1 || !regexp.MustCompile(`^(rename|copy) folder "objectfs-`).MatchString(page.Holders[0].Label) {
		t.Errorf("the page shows %+v, want one rename or copy", page.Holders)
	}
	if _, err := browse(url); err == nil {
		t.Error("the page is there when the job has ended")
	}
}

func TestProgressIsToldUntilAnInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		stop := watch(ctx, &out, "tree", 9000, func() int { return 1234 })
		time.Sleep(9 * time.Second)
		stop()
		want := strings.Repeat("tree: 1,234 of 9,000 operations\n", 2) +
			"\nobjectfs: interrupted: the operations under way end first; Ctrl-C again stops at once\n"
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("the progress: -want +got\n%s", diff)
		}
	})
}
