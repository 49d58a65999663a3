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
		Number: 42, Label: "rename 17", State: treelock.Holding, For: 3_214_567_890,
		Claim: claim(treelock.Write("/a")), Wanted: claim(treelock.Read("/a/b")),
	}
	waiter := holder
	waiter.Number, waiter.Label, waiter.State, waiter.For = 43, "", treelock.Waiting, 1_234
	hostile := holder
	hostile.Label, hostile.Claim = "a\nb\x1b[2J", claim(treelock.WriteNode("/x\ny"))
	long := holder
	long.Claim = claim(treelock.Write(treelock.Path("/" + strings.Repeat("z", 10_000))))
	other := holder
	other.Wanted = claim(treelock.Write("/ninth"))
	ofOne := holder
	ofOne.Number = 44
	one := []treelock.Claim[treelock.Path]{claim(treelock.Read("/a/b"))}
	type blockers = []treelock.Blocker[treelock.Path]
	for _, test := range []struct {
		err  blockedError
		want string
	}{
		{
			blockedError{Op: "try to acquire", Claims: one, Err: treelock.ErrConflict, Blockers: blockers{holder}},
			`try to acquire read /a/b: an earlier conflicting request is live; blocked by "rename 17" (#42, write /a, holding for 3.21s)`,
		},
		{
			blockedError{Op: "acquire", Label: "put 3", Claims: one, Err: treelock.ErrBusy, Waited: time.Second, Blockers: blockers{holder, waiter}, More: 7000},
			`acquire "put 3" (read /a/b): too many requests are waiting after 1s; blocked by "rename 17" (#42, write /a, holding for 3.21s), #43 (write /a, waiting for 1.23µs), 7,000 more`,
		},
		{
			blockedError{Claims: one, Err: treelock.ErrBusy, Blockers: blockers{hostile}, More: 60, AtLeast: true},
			`request read /a/b: too many requests are waiting; blocked by "a\nb\x1b[2J" (#42, write-node "/x\ny", holding for 3.21s), at least 60 more`,
		},
		{
			blockedError{Op: "submit", Claims: one, MoreClaims: 299_999, Err: treelock.ErrBusy, Blockers: blockers{other}},
			`submit read /a/b and 299,999 more: too many requests are waiting; write /ninth is blocked by "rename 17" (#42, write /a, holding for 3.21s)`,
		},
		{ // the second blocks another claim
			blockedError{Op: "submit", Claims: one, MoreClaims: 9, Err: treelock.ErrBusy, Blockers: blockers{other, ofOne}},
			`submit read /a/b and 9 more: too many requests are waiting; blocked by "rename 17" (#42, write /a, holding for 3.21s), "rename 17" (#44, write /a, holding for 3.21s)`,
		},
		{
			blockedError{Claims: one, Err: treelock.ErrBusy, Blockers: blockers{long}},
			`request read /a/b: too many requests are waiting; blocked by "rename 17" (#42, write /` + strings.Repeat("z", 149) + `...` + strings.Repeat("z", 50) + `, holding for 3.21s)`,
		},
		{blockedError{Op: "drain", Err: treelock.ErrStopped}, `drain: the manager has stopped`},
		{blockedError{Err: treelock.ErrBusy, AtLeast: true}, `too many requests are waiting; blocked by requests that could not be found`},
		{blockedError{Err: treelock.ErrBusy, More: 3, AtLeast: true}, `too many requests are waiting; blocked by at least 3 requests`},
		{
			blockedError{Claims: one, Err: treelock.ErrBusy, Blockers: blockers{waiter}, AtLeast: true},
			`request read /a/b: too many requests are waiting; blocked by #43 (write /a, waiting for 1.23µs), perhaps others`,
		},
		{
			blockedError{Label: "x", Err: errors.New("two\nlines, \u202e and " + strings.Repeat("e", 1000))},
			`request "x": two\nlines, \u202e and ` + strings.Repeat("e", 281) + `...` + strings.Repeat("e", 100),
		},
	} {
		if got, want := test.err.Error(), "treelock: "+test.want; got != want {
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
		1003 * time.Second: "16m43s", 1000*time.Hour + 1: "1000h0m0s",
	} {
		b := treelock.Blocker[treelock.Path]{For: d}
		if got := b.String(); !strings.HasSuffix(got, " for "+want+")") {
			t.Errorf("String() of %d ns = %s, want %s at its end", d, got, want)
		}
	}
	unknown := treelock.Blocker[treelock.Path]{For: -1}
	if got := unknown.String(); strings.Contains(got, " for ") || !strings.HasSuffix(got, ", waiting)") {
		t.Errorf("String() of a blocker whose age is not known = %s, want no age", got)
	}
	if got := unknown.LogValue().String(); strings.Contains(got, "for_ns") {
		t.Errorf("LogValue() of a blocker whose age is not known = %s, want no age", got)
	}
}

func TestErrorOfManyBlockersIsBounded(t *testing.T) {
	e := errorWith(10_000, 1)
	for i := range e.Blockers {
		e.Blockers[i].Label = strings.Repeat("\n", 1000)
		e.Blockers[i].Claim.Node = treelock.Path("/" + strings.Repeat("\x80", 1000))
	}
	if got := e.Error(); len(got) > 100_000 || !strings.HasSuffix(got, ", 9,937 more") || strings.Contains(got, "\n") {
		t.Errorf("Error() has %d bytes and the end %q, want 100,000 bytes at most, and the others counted", len(got), got[len(got)-20:])
	}
}
