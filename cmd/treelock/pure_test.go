package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/cmd/treelock/internal/child"
	"github.com/treelock/treelock/cmd/treelock/internal/paths"
	"github.com/treelock/treelock/manager"
)

func live(token uint64, state treelock.State, claims ...claimInfo) liveRequest {
	return liveRequest{Token: token, State: state, Process: "p", Claims: claims}
}

// What ended the wait of a command that was not begun says its status.
func TestStatusOfACommandThatWasNotBegun(t *testing.T) {
	signaled := &exitError{130, errInterrupted}
	lost, other := treelock.ErrLost, errors.New("no processes are left")
	for _, c := range []struct {
		err, lost error
		status    int
		says      string
	}{
		{signaled, lost, 130, errInterrupted.Error()},
		{&exec.Error{Name: "sh", Err: fs.ErrPermission}, nil, statusNotRun, "permission denied"},
		{other, lost, statusLost, "sh was not run: treelock: the request was lost"},
		{other, late(time.Now().Add(-time.Second)), statusLost, "the deadline of the lock has passed"},
		{child.ErrLate, late(time.Time{}), statusLost, "the deadline of the lock has passed"},
		{other, late(time.Now().Add(time.Minute)), statusSoftware, "sh was not run: no processes are left"},
	} {
		got := notBegun("sh", c.err, c.lost)
		if status := statusOf(got); status != c.status || !strings.Contains(got.Error(), c.says) {
			t.Errorf("%v and %v: status %d and %q, want %d and %q", c.err, c.lost, status, got, c.status, c.says)
		}
	}
}

func TestTableIsPlain(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	h := live(1, treelock.Holding, claimInfo{"write", treelock.Subtree, "/a"})
	h.Label, h.Since = "x\ty\n", now.Add(-90*time.Second)
	w := live(22, treelock.Waiting, claimInfo{"read", treelock.NodeOnly, "/a/b"})
	w.BlockedBy, w.More = []uint64{1, 7}, 3
	v := &view{Taken: now, Holders: []liveRequest{h}, Waiters: []liveRequest{w}}
	want := `TOKEN  STATE    AGE    PROCESS  LABEL     CLAIMS          WAITS FOR
1      holding  1m30s  p        "x\ty\n"  write /a
22     waiting  -      p                  read-node /a/b  1, 7 and 3 more
`
	if diff := cmp.Diff(want, v.table()); diff != "" {
		t.Error(diff)
	}
}

func TestCanvasShowsWhatThereIsRoomFor(t *testing.T) {
	v := &view{Taken: time.Now()}
	for i := range 30 {
		v.Holders = append(v.Holders, live(uint64(i+1), treelock.Holding, claimInfo{"write", treelock.Subtree, "/a"}))
	}
	var out strings.Builder
	c := &canvas{&out, func() (int, int, error) { return 80, 10, nil }}
	if err := c.draw(v, "etcd is\x1b[2J away"); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if n := strings.Count(text, "\r\n"); n != 9 {
		t.Errorf("%d lines on a terminal of 10: %q", n, text)
	}
	for _, want := range []string{"30 holding, 0 waiting", `etcd is\x1b[2J away`, "\r\n24 more" + lineErase + "\r\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
}

func TestChangesOfViews(t *testing.T) {
	a, b := claimInfo{"write", treelock.Subtree, "/a"}, claimInfo{"write", treelock.Subtree, "/b"}
	before := &view{Holders: []liveRequest{live(1, treelock.Holding, a), live(2, treelock.Holding, a, b)}, Waiters: []liveRequest{live(3, treelock.Waiting, a)}}
	now := &view{Holders: []liveRequest{live(2, treelock.Holding, b), live(3, treelock.Holding, a)}, Waiters: []liveRequest{live(4, treelock.Waiting, b)}}
	var got []string
	for _, c := range changesOf(before, now) {
		got = append(got, c.Change+string('0'+rune(c.Request.Token)))
	}
	if want := []string{"ended1", "narrowed2", "holding3", "waiting4"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if c := changesOf(now, now); len(c) != 0 {
		t.Errorf("%v from a view to itself", c)
	}
}

func TestWatcherTellsWhenItCannotKnow(t *testing.T) {
	var out strings.Builder
	w := &watcher{out: &out}
	now := &view{Holders: []liveRequest{live(1, treelock.Holding)}}
	down := errors.New("etcd is away")
	w.tell(now, nil)
	w.tell(nil, down)
	w.tell(nil, down)
	w.tell(now, nil)
	var got []string
	for line := range strings.Lines(out.String()) {
		var c change
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		got = append(got, c.Change)
	}
	if want := []string{"holding", "unknown", "known"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestViewWithinASubtree(t *testing.T) {
	v := &view{Holders: []liveRequest{
		live(1, treelock.Holding, claimInfo{"read", treelock.Subtree, "/"}),
		live(2, treelock.Holding, claimInfo{"read", treelock.NodeOnly, "/"}),
		live(3, treelock.Holding, claimInfo{"read", treelock.NodeOnly, "/a/b/c"}),
		live(4, treelock.Holding, claimInfo{"write", treelock.Subtree, "/x"}, claimInfo{"read", treelock.Subtree, "/a/b"}),
		live(5, treelock.Holding, claimInfo{"write", treelock.Subtree, "/a/bb"}),
	}}
	var got []uint64
	for _, r := range v.within("/a/b").all() {
		got = append(got, r.Token)
	}
	if want := []uint64{1, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestClaimInfoIsAClaim(t *testing.T) {
	req := treelock.Write("/a").Read("/b").WriteNode("/c").ReadNode("/d")
	r := liveRequest{Claims: infosOf(req)}
	if got := r.request().String(); got != req.String() {
		t.Errorf("%s, want %s", got, req)
	}
}

func TestJSONIsPrintableAndTheSame(t *testing.T) {
	text := hostile + "é漢😀\U000e0001<&>"
	var out strings.Builder
	if err := writeJSON(&out, text); err != nil {
		t.Fatal(err)
	}
	wantPrintable(t, out.String())
	var back string
	if err := json.Unmarshal([]byte(out.String()), &back); err != nil {
		t.Fatal(err)
	}
	if want := strings.ToValidUTF8(text, "\ufffd"); back != want {
		t.Errorf("%q, want %q", back, want)
	}
	if !strings.Contains(out.String(), "é漢😀") {
		t.Errorf("%s: what prints is escaped", out.String())
	}
}

func TestWorktreeNameFitsAndStaysDistinct(t *testing.T) {
	if got := worktreeName("u@h", "/w"); got != "u@h:/w" {
		t.Errorf("%q", got)
	}
	long := "/" + strings.Repeat("é", 200)
	names := map[string]bool{}
	for _, folder := range []string{"/a" + long + "/x", "/b" + long + "/x", "/a" + long + "/y"} {
		name := worktreeName(strings.Repeat("u", 90)+"@h", folder)
		if len(name) > treelock.MaxLabel || processName(name) != name || !strings.HasSuffix(name, folder[len(folder)-2:]) {
			t.Errorf("%q has %d bytes", name, len(name))
		}
		names[name] = true
	}
	if len(names) != 3 {
		t.Errorf("names are not distinct: %v", names)
	}
}

func TestCheckTakesFurtherArgumentsForItsOnlyFlag(t *testing.T) {
	args := paths.Args{WriteNode: []string{"a"}}
	if err := addRest(&args, []string{"b", "c"}); err != nil || !slices.Equal(args.WriteNode, []string{"a", "b", "c"}) {
		t.Errorf("%v, %v", args, err)
	}
}

func TestBreakAsks(t *testing.T) {
	for answer, want := range map[string]bool{"y\n": true, "Yes\n": true, "y": true, "": false, "\n": false, "n\n": false, "yesterday\n": false} {
		var out strings.Builder
		if got := (&breaker{in: strings.NewReader(answer), err: &out}).ask(); got != want {
			t.Errorf("the answer %q: %v, want %v", answer, got, want)
		}
	}
}

func TestBlockerWhoseAgeIsNotKnownHasNone(t *testing.T) {
	now := time.Now()
	b := manager.RequestInfo[treelock.Path]{Number: 7, Since: now.Add(-time.Second), State: treelock.Holding, Claims: []treelock.Claim[treelock.Path]{treelock.Write("/a").Claim(0)}}
	for older, want := range map[bool]string{false: "#7 (write /a, holding for 1s)", true: "#7 (write /a, holding)"} {
		b.Older = older
		if got := blocker(b, b.Claims, now).String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
