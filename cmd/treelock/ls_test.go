package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/treelock/treelock"
)

// hostile would colour the terminal, move its cursor and set its title, and has a right-to-left
// mark.
const hostile = "\x1b[31mred\x1b]0;title\a\nnext\r\x7f\u202eback \u009b2J \xff"

// Wrong usage has one status, in all commands.
func TestWrongUsageHasItsStatus(t *testing.T) {
	for _, args := range [][]string{
		{"nothing"}, {"ls", "a", "b"}, {"break"}, {"page", "a"}, {"mcp", "a"}, {"dev", "a"}, {"doctor", "a"}, {"man"},
		{"ls", "--ttl", "1s"}, {"check", "-w", "a", "--ttl", "1s"}, {"run", "--etcd", "http://127.0.0.1:1", "--ttl", "1s", "-w", "a", "true"},
		{"ls", "--nothing"}, {"check"}, {"run", "true"}, {"guard"}, {"break", "x", "--reason", "y", "--yes"},
	} {
		if got := run(t, args...); got.status != statusUsage {
			t.Errorf("%q: status %d and %q, want %d", args, got.status, got.err, statusUsage)
		}
	}
}

func TestLsShowsHoldersAndWaitersInTheirOrder(t *testing.T) {
	a, b := process(t, "worker-1"), process(t, "worker-2")
	g := acquire(t, a, treelock.Write("/src/api").Read("/config").Labeled("deploy 7"))
	waiter(t, b, treelock.Read("/src"))
	waiter(t, a, treelock.WriteNode("/src/api/x"))
	other := acquire(t, b, treelock.Write("/docs"))

	all := run(t, "ls")
	all.want(t, 0, "deploy 7", "write /src/api", "write-node /src/api/x")
	lines := strings.Split(strings.TrimSpace(all.out), "\n")
	if len(lines) != 5 {
		t.Fatalf("%q, want a head and four requests", all.out)
	}
	for i, want := range [][]string{
		{"TOKEN", "STATE", "AGE", "PROCESS", "LABEL", "CLAIMS", "WAITS FOR"},
		{tokenOf(g), "holding", "s ", "worker-1", "deploy 7", "write /src/api", "read /config"},
		{tokenOf(other), "holding", "worker-2", "write /docs"},
		{"waiting", "s ", "worker-2", "read /src", tokenOf(g)},
		{"waiting", "worker-1", "write-node /src/api/x"},
	} {
		for _, text := range want {
			if !strings.Contains(lines[i], text) {
				t.Errorf("line %d is %q, want %q in it", i, lines[i], text)
			}
		}
	}

	below := run(t, "ls", "--raw", "/docs/en")
	below.want(t, 0, "write /docs")
	if strings.Contains(below.out, "/src") {
		t.Errorf("ls of /docs/en shows another folder: %q", below.out)
	}
	run(t, "ls", "--raw", "/nothing").want(t, 0, "nothing is held")
}

func TestLsWritesJSON(t *testing.T) {
	a, b := process(t, "worker-1"), process(t, "worker-2")
	began := time.Now()
	g := acquire(t, a, treelock.Write("/a").ReadNode("/b").Labeled(hostile))
	waiter(t, b, treelock.Read("/a/x"))
	made := time.Now()
	r := run(t, "ls", "--json")
	r.want(t, 0)
	wantPrintable(t, r.out)
	var got struct {
		Taken            string
		Holders, Waiters []struct {
			Token                 uint64
			State, Process, Label string
			Since                 time.Time
			Claims                []map[string]string
			BlockedBy             []uint64 `json:"blocked_by"`
		}
	}
	decoder := json.NewDecoder(strings.NewReader(r.out))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&got); err != nil {
		t.Fatalf("%v in %q", err, r.out)
	}
	if len(got.Holders) != 1 || len(got.Waiters) != 1 || got.Taken == "" {
		t.Fatalf("%+v, want a holder and a waiter", got)
	}
	h, w := got.Holders[0], got.Waiters[0]
	label := strings.ToValidUTF8(hostile, "\ufffd")
	if h.Token != g.Token() || h.State != "holding" || h.Process != "worker-1" || h.Label != label {
		t.Errorf("the holder is %+v, want that of %d", h, g.Token())
	}
	want := `[map[access:write path:/a scope:subtree] map[access:read path:/b scope:node]]`
	if text := fmt.Sprint(h.Claims); text != want {
		t.Errorf("claims %s, want %s", text, want)
	}
	if w.State != "waiting" || fmt.Sprint(w.BlockedBy) != fmt.Sprint([]uint64{g.Token()}) {
		t.Errorf("the waiter is %+v, want one that waits for %d", w, g.Token())
	}
	// Both began before this ls.
	for _, since := range []time.Time{h.Since, w.Since} {
		if since.Before(began.Add(-10*time.Millisecond)) || since.After(made) {
			t.Errorf("since %v, want a time from %v to %v", since, began, made)
		}
	}
}

// In a prefix that a program of the format 1 has begun, no process writes a time.
func TestLsShowsNoAgeThatIsNotKnown(t *testing.T) {
	client := clientOf(t, etcd(t))
	resp, err := client.Get(within(t), prefixOf(t))
	if err != nil {
		t.Fatal(err)
	}
	meta := fmt.Sprintf(`{"format":1,"cluster":"%016x"}`, resp.Header.ClusterId)
	if _, err := client.Put(within(t), prefixOf(t)+"/meta", meta); err != nil {
		t.Fatal(err)
	}
	g := acquire(t, process(t, "worker-1"), treelock.Write("/a"))
	r := run(t, "ls")
	r.want(t, 0)
	if fields := strings.Fields(strings.Split(r.out, "\n")[1]); !slices.Equal(fields, []string{tokenOf(g), "holding", "-", "worker-1", "write", "/a"}) {
		t.Errorf("%q, want no age", r.out)
	}
	if r := run(t, "ls", "--json"); strings.Contains(r.out, "since") {
		t.Errorf("%q, want no since", r.out)
	}
	run(t, "check", "--raw", "-w", "/a").want(t, 1, "write /a, holding)")
}

func TestHostileTextsDoNotReachTheTerminal(t *testing.T) {
	m := process(t, hostile)
	g := acquire(t, m, treelock.Write("/a", treelock.PathOf(hostile)).Labeled(hostile))
	for _, r := range []outcome{
		run(t, "ls"),
		run(t, "check", "--raw", "-w", "/a"),
		run(t, "guard", "--raw", "/a"),
		run(t, "guard", "--raw", string(treelock.PathOf(hostile))),
		run(t, "check", "-w", "../"+strings.ReplaceAll(hostile, "/", "_")),
		run(t, "break", tokenOf(g), "--reason", "a test", "--yes"),
	} {
		wantPrintable(t, r.out)
		wantPrintable(t, r.err)
	}
}

func wantPrintable(t *testing.T, text string) {
	t.Helper()
	for _, bad := range []string{"\x1b", "\a", "\r", "\x7f", "\u202e", "\u009b", "\xff", "\nnext"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q has %q", text, bad)
		}
	}
}

func TestWatchTellsEachChange(t *testing.T) {
	a, b := process(t, "worker-1"), process(t, "worker-2")
	g := acquire(t, a, treelock.Write("/a", "/b"))
	cmd := command(t, "ls", "--watch")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	next := func(want string, token uint64) {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("the output has ended, want %s of %d", want, token)
		}
		var c change
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil || c.Request == nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		if c.Change != want || c.Request.Token != token || c.Time.IsZero() {
			t.Errorf("%q, want %s of %d", lines.Text(), want, token)
		}
	}
	next("holding", g.Token())
	if err := g.Narrow(treelock.Write("/a")); err != nil {
		t.Fatal(err)
	}
	next("narrowed", g.Token())
	granted, _ := waiter(t, b, treelock.Write("/a"))
	lines.Scan()
	if !strings.Contains(lines.Text(), `"change":"waiting"`) {
		t.Errorf("%q, want that it waits", lines.Text())
	}
	g.Release()
	h := <-granted
	next("ended", g.Token())
	next("holding", h.Token())
	if !strings.Contains(lines.Text(), `"since":"20`) {
		t.Errorf("%q, want since when, as that was seen", lines.Text())
	}
	cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil {
		t.Errorf("ls --watch after a signal: %v", err)
	}
}
