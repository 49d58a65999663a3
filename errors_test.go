package treelock_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/treelock/treelock"
)

// sentinels are the errors of the contract, each with its text.
var sentinels = map[string]struct {
	err  error
	text string
}{
	"ErrStopped":      {treelock.ErrStopped, "treelock: the manager has stopped"},
	"ErrShutdown":     {treelock.ErrShutdown, "treelock: it was shut down"},
	"ErrConflict":     {treelock.ErrConflict, "treelock: an earlier conflicting request is live"},
	"ErrBusy":         {treelock.ErrBusy, "treelock: too many requests are waiting"},
	"ErrDraining":     {treelock.ErrDraining, "treelock: the manager is draining"},
	"ErrSuspended":    {treelock.ErrSuspended, "treelock: the subtree is suspended"},
	"ErrWithdrawn":    {treelock.ErrWithdrawn, "treelock: the request was withdrawn"},
	"ErrNotHeld":      {treelock.ErrNotHeld, "treelock: the grant does not hold all of this"},
	"ErrLost":         {treelock.ErrLost, "treelock: the request was lost"},
	"ErrTooDeep":      {treelock.ErrTooDeep, "treelock: a node has too many ancestors"},
	"ErrTooWide":      {treelock.ErrTooWide, "treelock: the request has too many claims"},
	"ErrTooLong":      {treelock.ErrTooLong, "treelock: a path is too long"},
	"ErrIncomparable": {treelock.ErrIncomparable, "treelock: a node is not equal to itself or cannot be compared"},
}

func TestErrorsSayWhatHappened(t *testing.T) {
	for name, sentinel := range sentinels {
		if got := sentinel.err.Error(); got != sentinel.text {
			t.Errorf("%s.Error() = %q, want %q", name, got, sentinel.text)
		}
	}
}

func TestErrorsAreToldApartThroughWrapping(t *testing.T) {
	for name, sentinel := range sentinels {
		wrapped := fmt.Errorf("delete of /a: %w", fmt.Errorf("%w (and details)", sentinel.err))
		for other, target := range sentinels {
			if got, want := errors.Is(wrapped, target.err), other == name; got != want {
				t.Errorf("errors.Is(%v, %s) = %t, want %t", wrapped, other, got, want)
			}
		}
	}
}

func TestPathErrorIsFoundThroughWrapping(t *testing.T) {
	_, err := treelock.ParsePath("/a/../b")
	var got *treelock.PathError
	if wrapped := fmt.Errorf("rename: %w", err); !errors.As(wrapped, &got) {
		t.Fatalf("errors.As(%v, *PathError) = false, want true", wrapped)
	}
	if want := (treelock.PathError{Path: "/a/../b", Rule: treelock.RuleDotName}); *got != want {
		t.Errorf("errors.As() = %+v, want %+v", *got, want)
	}
	for name, sentinel := range sentinels {
		if errors.Is(err, sentinel.err) {
			t.Errorf("errors.Is(%v, %s) = true, want false", err, name)
		}
	}
}

func TestPathErrorSaysWhatIsWrong(t *testing.T) {
	for _, test := range badPaths {
		err := &treelock.PathError{Path: test.path, Rule: test.rule}
		want := fmt.Sprintf("treelock: path %q is refused: %s", test.path, test.rule)
		if got := err.Error(); got != want {
			t.Errorf("(%+v).Error() = %q, want %q", *err, got, want)
		}
	}
}

// TestPathErrorShortensLongPaths: a hostile path must not fill the log, nor begin a new line in it.
func TestPathErrorShortensLongPaths(t *testing.T) {
	for _, test := range []struct {
		name, path string
		whole      bool
	}{
		{"200 bytes", strings.Repeat("a", 200), true},
		{"201 bytes", strings.Repeat("a", 201), false},
		{"many kilobytes of line ends", strings.Repeat("\n", 1<<16), false},
		{"many kilobytes of no UTF-8", strings.Repeat("\xff", 1<<16), false},
		{"a rune that is cut", strings.Repeat("a", 199) + "世界", false},
	} {
		text := (&treelock.PathError{Path: test.path, Rule: treelock.RuleLeadingSlash}).Error()
		if size := fmt.Sprintf("(%d bytes)", len(test.path)); strings.Contains(text, size) == test.whole {
			t.Errorf("%s: Error() = %q, want the size %s in it: %t", test.name, text, size, !test.whole)
		}
		if whole := strings.Contains(text, fmt.Sprintf("%q", test.path)); whole != test.whole {
			t.Errorf("%s: Error() = %q, want the whole path in it: %t", test.name, text, test.whole)
		}
		if len(text) > 1024 || !utf8.ValidString(text) || strings.Contains(text, "\n") {
			t.Errorf("%s: Error() has %d bytes in %d lines, want 1024 at most in one", test.name, len(text), 1+strings.Count(text, "\n"))
		}
	}
}
