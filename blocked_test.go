package treelock_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/treelock/treelock"
)

type blockedError = treelock.BlockedError[treelock.Path]

func TestBlockedErrorReadsWellInALog(t *testing.T) {
	claim := func(req treelock.Request[treelock.Path]) treelock.Claim[treelock.Path] { return req.Claim(0) }
	holder := treelock.Blocker[treelock.Path]{
		Seq: 42, Label: "rename 17", State: treelock.Holding, For: 3_214_567_890,
		Claim: claim(treelock.Write("/a")), Wanted: claim(treelock.Read("/a/b")),
	}
	waiter := holder
	waiter.Seq, waiter.Label, waiter.State, waiter.For = 43, "", treelock.Waiting, 1_234
	hostile := holder
	hostile.Label, hostile.Claim = "a\nb\x1b[2J", claim(treelock.WriteNode("/x\ny"))
	long := holder
	long.Claim = claim(treelock.Write(treelock.Path("/" + strings.Repeat("z", 10_000))))
	for _, test := range []struct {
		err  blockedError
		want string
	}{
		{
			blockedError{Err: treelock.ErrConflict, Blockers: []treelock.Blocker[treelock.Path]{holder}},
			`read /a/b is blocked by "rename 17" (#42, write /a, holding for 3.21s)`,
		},
		{
			blockedError{Err: treelock.ErrBusy, Label: "put 3", Waited: time.Second, Blockers: []treelock.Blocker[treelock.Path]{holder, waiter}, More: 7},
			`"put 3": read /a/b has waited 1s, blocked by "rename 17" (#42, write /a, holding for 3.21s), #43 (write /a, waiting for 1.23µs) and 7 more`,
		},
		{
			blockedError{Err: treelock.ErrBusy, Blockers: []treelock.Blocker[treelock.Path]{hostile}, More: 60, AtLeast: true},
			`read /a/b is blocked by "a\nb\x1b[2J" (#42, "write-node /x\ny", holding for 3.21s) and at least 60 more`,
		},
		{
			blockedError{Err: treelock.ErrBusy, Blockers: []treelock.Blocker[treelock.Path]{long}},
			`read /a/b is blocked by "rename 17" (#42, write /` + strings.Repeat("z", 193) + `..., holding for 3.21s)`,
		},
		{blockedError{Err: treelock.ErrBusy, More: 3, AtLeast: true}, `the request is blocked by at least 3 requests`},
		{
			blockedError{Err: treelock.ErrBusy, Blockers: []treelock.Blocker[treelock.Path]{waiter}, AtLeast: true},
			`read /a/b is blocked by #43 (write /a, waiting for 1.23µs), and perhaps others`,
		},
	} {
		if got, want := test.err.Error(), test.err.Err.Error()+": "+test.want; got != want {
			t.Errorf("Error() =\n%s\nwant\n%s", got, want)
		}
		if !errors.Is(&test.err, test.err.Err) {
			t.Errorf("errors.Is(%v, %v) = false, want true", &test.err, test.err.Err)
		}
	}
}

func TestTimesAreRoundedToWhatMatters(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 7: "7ns", 1_234: "1.23µs", 999_999: "1ms", 12_345_678: "12.3ms", 61_234_567_890: "1m1.2s",
		-5: "-5ns", 1000*time.Hour + 1: "1000h0m0s",
	} {
		b := treelock.Blocker[treelock.Path]{For: d}
		if got := b.String(); !strings.HasSuffix(got, " for "+want+")") {
			t.Errorf("String() of %d ns = %s, want %s at its end", d, got, want)
		}
	}
}
