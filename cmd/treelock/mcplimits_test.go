package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
)

func TestReservationHasATimeToLive(t *testing.T) {
	m := process(t, "worker-1")
	alice := newAgent(t, "alice")
	got := alice.call("reserve", object{"write": []string{"/src"}, "reason": "r", "ttl_seconds": 0.3})
	if !got.Reserved || time.Until(got.Expires) > time.Minute {
		t.Fatalf("%+v, want a reservation that expires", got)
	}
	wantFree(t, m, treelock.Write("/src"))
	for end := time.Now().Add(deadline); time.Now().Before(end); {
		if l := alice.call("list", object{}); len(l.Notices) == 1 {
			if !strings.Contains(l.Notices[0], "time to live") {
				t.Errorf("the notices %q", l.Notices)
			}
			return
		}
	}
	t.Error("the end is not told")
}

func TestReservationsEndWithTheServer(t *testing.T) {
	m := process(t, "worker-1")
	for name, end := range map[string]func(a agent){
		"closed": func(a agent) { a.stdin.Close() },
		"signal": func(a agent) { a.cmd.Process.Signal(syscall.SIGTERM) },
		"hangup": func(a agent) { a.cmd.Process.Signal(syscall.SIGHUP) },
		"killed": func(a agent) { a.cmd.Process.Kill() },
	} {
		a := newAgent(t, name)
		a.reserve(object{"write": []string{"/" + name}})
		blocked := acquire(t, m, treelock.Write(treelock.Path("/x"+name)))
		go a.session.CallTool(within(t), &mcp.CallToolParams{Name: "reserve",
			Arguments: object{"write": []string{"/x" + name}, "reason": "r", "wait_seconds": 100}})
		untilWaiting(t, m, 1)
		end(a)
		wantFree(t, m, treelock.Write(treelock.Path("/"+name)))
		untilWaiting(t, m, 0)
		blocked.Release()
		a.stdin.Close()
		a.cmd.Wait()
		if code := a.cmd.ProcessState.ExitCode(); name != "killed" && code < 0 {
			t.Errorf("%s: the server ends with %v, before it has released", name, a.cmd.ProcessState)
		}
	}
}

func TestBadInputIsAToolError(t *testing.T) {
	m := process(t, "worker-1")
	alice := newAgent(t, "alice")
	long := "/" + strings.Repeat("a", 1<<16)
	many := slices.Repeat([]string{"/a"}, maxPaths+1)
	for _, test := range []struct {
		tool string
		args any
	}{
		{"reserve", object{}},
		{"reserve", object{"reason": "r"}},
		{"reserve", object{"write": []string{""}, "reason": "r"}},
		{"reserve", object{"write": []string{"not canonical"}, "reason": "r"}},
		{"reserve", object{"write": []string{"/a/../b"}, "reason": "r"}},
		{"reserve", object{"write": []string{long}, "reason": "r"}},
		{"reserve", object{"write": many, "reason": "r"}},
		{"reserve", object{"write": "/a", "reason": "r"}},
		{"reserve", object{"write": []int{1}, "reason": "r"}},
		{"reserve", object{"write": []string{"/a"}, "reason": 7}},
		{"reserve", object{"write": []string{"/a"}, "reason": "r", "wait_seconds": -1}},
		{"reserve", object{"write": []string{"/a"}, "reason": "r", "wait_seconds": 1e300}},
		{"reserve", object{"write": []string{"/a"}, "reason": "r", "ttl_seconds": -0.5}},
		{"reserve", object{"write": []string{"/a"}, "reason": "r", "unknown": 1}},
		{"check", object{}},
		{"check", object{"write": []string{"x"}}},
		{"release", object{}},
		{"release", object{"token": -1}},
		{"release", object{"token": 1.5}},
		{"release", object{"token": "7"}},
		{"release", object{"token": 1e30}},
		{"list", object{"path": "x"}},
		{"list", []int{1}},
	} {
		if got := alice.call(test.tool, test.args); got.failed == "" {
			t.Errorf("%s %.100v: %+v, want a tool error", test.tool, fmt.Sprint(test.args), got)
		}
	}
	if token := alice.reserve(object{"write": []string{"/a"}, "ttl_seconds": 1000}); token == 0 {
		t.Error("the server does not work any more")
	}
	wantFree(t, m, treelock.Write("/b"))
}

func TestReservationsHaveALimit(t *testing.T) {
	alice := newAgent(t, "alice")
	for i := range maxReservations {
		alice.reserve(object{"write": []string{fmt.Sprintf("/%d", i)}})
	}
	alice.call("reserve", object{"write": []string{"/more"}, "reason": "r"}).wantFailed(t, "which is the most")
	alice.call("release", object{"token": alice.call("list", object{}).Holders[0].Token})
	alice.reserve(object{"write": []string{"/more"}})
}

func TestGarbageDoesNotCrashTheServer(t *testing.T) {
	cmd := command(t, "mcp")
	cmd.Stdin = strings.NewReader("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"reserve\"}}\nno json\n\x00\xff\n")
	if r := finish(t, cmd); strings.Contains(r.err, "panic") || strings.Contains(r.err, "goroutine") {
		t.Errorf("%+v", r)
	}
}

// An empty name is not the root.
func TestEmptyNameIsRefused(t *testing.T) {
	tools := &tools{looker: &looker{Settings: &where.Settings{Root: t.TempDir()}}}
	for _, name := range []string{"", "../x"} {
		if req, err := tools.request(pathsIn{Write: []string{"a", name}}); err == nil {
			t.Errorf("the name %q is taken for %v", name, req)
		}
	}
	if req, err := tools.request(pathsIn{Write: []string{"a"}}); err != nil || req.String() != "write /a" {
		t.Errorf("%v, %v", req, err)
	}
}

// The client has canceled its call, and the grant comes at the same time.
func TestCanceledReserveHoldsNothing(t *testing.T) {
	other, m := process(t, "worker-1"), process(t, "alice")
	g := acquire(t, other, treelock.Write("/a"))
	held := newReservations(t.Context(), m)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := held.reserve(ctx, treelock.Write("/a/b"), time.Minute, 0)
		ended <- err
	}()
	untilWaiting(t, other, 1)
	held.do(func(*ledger) { // the reservation is noted after this
		g.Release()
		for end := time.Now().Add(deadline); m.Stats().Granted == 0 && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(50 * time.Millisecond)
		cancel()
	})
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was canceled", err)
	}
	wantFree(t, other, treelock.Write("/a"))
}
