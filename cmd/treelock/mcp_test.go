package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
	"github.com/treelock/treelock/manager/cluster"
)

// An agent is a client of treelock mcp.
type agent struct {
	t       *testing.T
	session *mcp.ClientSession
	cmd     *exec.Cmd
	stdin   io.Closer   // of the server
	logs    chan string // the logging notifications
}

func newAgent(t *testing.T, name string) agent {
	t.Helper()
	a := agent{t: t, cmd: command(t, "mcp", "--raw"), logs: make(chan string, 10)}
	a.cmd.Env = append(a.cmd.Env, "TREELOCK_NAME="+name)
	stdin, err := a.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := a.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	a.stdin = stdin
	client := mcp.NewClient(&mcp.Implementation{Name: "test"}, &mcp.ClientOptions{
		//lint:ignore SA1019 servers of earlier versions of the protocol send it
		LoggingMessageHandler: func(_ context.Context, req *mcp.LoggingMessageRequest) { a.logs <- fmt.Sprint(req.Params.Data) },
	})
	session, err := client.Connect(within(t), &mcp.IOTransport{Reader: stdout, Writer: stdin}, nil)
	if err != nil {
		t.Fatal(err)
	}
	a.session = session
	t.Cleanup(func() {
		stdin.Close()
		a.cmd.Wait()
	})
	return a
}

// An answered is what all tools can answer.
type answered struct {
	Reserved, Free, Released bool
	Token                    uint64
	Claims                   []claimInfo
	Expires                  time.Time
	BlockedBy                []liveRequest `json:"blocked_by"`
	Message                  string
	Notices                  []string
	Holders, Waiters         []liveRequest
	failed                   string // the text of a tool error
}

type object = map[string]any

// call calls a tool.
func (a agent) call(tool string, args any) (got answered) {
	a.t.Helper()
	r, err := a.session.CallTool(within(a.t), &mcp.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		a.t.Fatalf("%s %v: %v", tool, args, err)
	}
	text := r.Content[0].(*mcp.TextContent).Text
	if r.IsError {
		return answered{failed: text}
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		a.t.Fatalf("%s %v: %q: %v", tool, args, text, err)
	}
	if r.StructuredContent == nil {
		a.t.Errorf("%s %v: no structured content", tool, args)
	}
	return got
}

// reserve reserves what must be free.
func (a agent) reserve(args object) uint64 {
	a.t.Helper()
	args["reason"] = "a test"
	got := a.call("reserve", args)
	if !got.Reserved || got.Token == 0 {
		a.t.Fatalf("reserve %v: %+v", args, got)
	}
	return got.Token
}

// wantFailed fails unless a tool has answered with an error that has a text.
func (a answered) wantFailed(t *testing.T, text string) {
	t.Helper()
	if a.failed == "" || !strings.Contains(a.failed, text) {
		t.Errorf("%+v, want a tool error with %q", a, text)
	}
}

// wantFree waits until a request would be granted.
func wantFree(t *testing.T, m *cluster.Manager, req treelock.Request[treelock.Path]) {
	t.Helper()
	acquire(t, m, req).Release()
}

func TestAgentsReserveAndRelease(t *testing.T) {
	m := process(t, "worker-1")
	alice, bob := newAgent(t, "alice"), newAgent(t, "bob")
	token := alice.reserve(object{"write": []string{"/src/api"}, "read": []string{"/config"}})
	if got := bob.call("reserve", object{"write": []string{"/src"}, "reason": "rename"}); got.Reserved ||
		len(got.BlockedBy) != 1 || got.BlockedBy[0].Token != token || got.BlockedBy[0].Process != "alice" ||
		!strings.Contains(got.Message, `alice (token `) || !strings.Contains(got.Message, `"a test"`) {
		t.Errorf("%+v, want that alice blocks it", got)
	}
	if got := bob.call("check", object{"write": []string{"/src"}}); got.Free || len(got.BlockedBy) != 1 {
		t.Errorf("%+v, want that alice blocks it", got)
	}
	if got := bob.call("check", object{"read": []string{"/config"}}); !got.Free {
		t.Errorf("%+v, want that it is free", got)
	}
	if got := alice.call("check", object{"write": []string{"/src/api/x"}}); !got.Free || !strings.Contains(got.Message, fmt.Sprint(token)) {
		t.Errorf("%+v, want that alice holds it", got)
	}
	if got := bob.call("list", object{}); len(got.Holders) != 1 || got.Holders[0].Own || got.Holders[0].Label != "a test" {
		t.Errorf("%+v, want that of alice", got)
	}
	if got := alice.call("list", object{"path": "/src"}); len(got.Holders) != 1 || !got.Holders[0].Own || got.Holders[0].Process != "alice" {
		t.Errorf("%+v, want that of alice as her own", got)
	}
	if got := alice.call("list", object{"path": "/docs"}); len(got.Holders) != 0 {
		t.Errorf("%+v, want nothing", got)
	}
	bob.call("release", object{"token": token}).wantFailed(t, "no reservation")
	run(t, "guard", "--raw", "--holder", "alice", "/src/api/x").want(t, 0)
	run(t, "guard", "--raw", "--holder", "bob", "/src/api/x").want(t, 1, "alice")
	if got := alice.call("release", object{"token": token}); !got.Released {
		t.Errorf("%+v, want that it is released", got)
	}
	alice.call("release", object{"token": token}).wantFailed(t, "no reservation")
	wantFree(t, m, treelock.Write("/"))
}

func TestReserveWaits(t *testing.T) {
	m := process(t, "worker-1")
	alice := newAgent(t, "alice")
	g := acquire(t, m, treelock.Write("/src"))
	if got := alice.call("reserve", object{"write": []string{"/src/a"}, "reason": "r", "wait_seconds": 0.2}); got.Reserved || len(got.BlockedBy) != 1 {
		t.Errorf("%+v, want that it is blocked", got)
	}
	got := make(chan answered)
	go func() {
		got <- alice.call("reserve", object{"write": []string{"/src/a"}, "reason": "r", "wait_seconds": 20})
	}()
	untilWaiting(t, m, 1)
	g.Release()
	if a := <-got; !a.Reserved || a.Token <= g.Token() {
		t.Errorf("%+v, want a reservation with a larger token than %d", a, g.Token())
	}
}

func untilWaiting(t *testing.T, m *cluster.Manager, n int) {
	t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		s, err := m.Snapshot(within(t), manager.Query[treelock.Path]{})
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Waiters) == n {
			return
		}
	}
	t.Fatalf("there are not %d waiters", n)
}

func TestReservationsOfOneAgentDoNotBlockIt(t *testing.T) {
	m := process(t, "worker-1")
	alice := newAgent(t, "alice")
	token := alice.reserve(object{"write": []string{"/src"}})
	if again := alice.reserve(object{"write": []string{"/src/a"}, "read": []string{"/src/b"}}); again != token {
		t.Errorf("token %d for what %d covers", again, token)
	}
	alice.call("reserve", object{"write": []string{"/"}, "reason": "r", "wait_seconds": 100}).wantFailed(t, "your own reservation")

	// The wait would close a circle: the other process waits for alice, and she would wait for it.
	waiter(t, m, treelock.Write("/src", "/docs"))
	alice.call("reserve", object{"write": []string{"/docs"}, "reason": "r", "wait_seconds": 100}).wantFailed(t, "deadlock")
}

func TestLostReservationIsTold(t *testing.T) {
	alice := newAgent(t, "alice")
	//lint:ignore SA1019 servers of earlier versions of the protocol need it
	if err := alice.session.SetLoggingLevel(within(t), &mcp.SetLoggingLevelParams{Level: "info"}); err != nil {
		t.Fatal(err)
	}
	token := alice.reserve(object{"write": []string{"/src"}})
	run(t, "break", fmt.Sprint(token), "--reason", "it hangs", "--yes").want(t, 0)
	select {
	case text := <-alice.logs:
		if !strings.Contains(text, "it hangs") || !strings.Contains(text, fmt.Sprint(token)) {
			t.Errorf("the notification %q", text)
		}
	case <-time.After(deadline):
		t.Error("no notification")
	}
	for range 2 {
		alice.call("release", object{"token": token}).wantFailed(t, "no reservation")
	}
	for i, want := range []int{1, 0} {
		for _, got := range []answered{alice.call("list", object{}), alice.call("check", object{"read": []string{"/"}})} {
			if len(got.Notices) != want || want == 1 && !strings.Contains(got.Notices[0], "it hangs") {
				t.Errorf("answer %d has the notices %q, want %d", i, got.Notices, want)
			}
		}
	}
	alice.call("reserve", object{"reason": "r"}).wantFailed(t, "it hangs")
}
