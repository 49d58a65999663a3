package manager_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A hostileTag must not be formatted, marshaled or compared. (A comparison panics, as its dynamic
// type has a func.)
type hostileTag struct{ f func() }

func (hostileTag) String() string               { panic("a tag is formatted") }
func (hostileTag) Error() string                { panic("a tag is formatted") }
func (hostileTag) LogValue() slog.Value         { panic("a tag is logged") }
func (hostileTag) MarshalText() ([]byte, error) { panic("a tag is marshaled") }
func (hostileTag) MarshalJSON() ([]byte, error) { panic("a tag is marshaled") }

func TestTagsAreShownAndNotLookedAt(t *testing.T) {
	m := manager.Start(t.Context())
	ran := ""
	tag := func(name string) hostileTag { return hostileTag{func() { ran = name }} }
	must(m.TryAcquire(t.Context(), treelock.Write("/a").Tagged(tag("holder"))))
	must(m.Submit(t.Context(), treelock.Write("/a").Tagged(tag("waiter")).Queue(5)))
	must(m.TryAcquire(t.Context(), treelock.Write("/b").Labeled("plain")))

	_, err := m.TryAcquire(t.Context(), treelock.Read("/a").Tagged(tag("refused")))
	var blocked *treelock.BlockedError[path]
	if !errors.As(err, &blocked) || len(blocked.Blockers) != 2 {
		t.Fatalf("TryAcquire() = %v, want two blockers", err)
	}
	for i, want := range []string{"holder", "waiter"} {
		if got, ok := blocked.Blockers[i].Tag.(hostileTag); !ok {
			t.Errorf("blocker %d has no tag", i)
		} else if got.f(); ran != want {
			t.Errorf("blocker %d has the tag of the %s, want the %s", i, ran, want)
		}
	}
	s := must(m.Snapshot(t.Context(), manager.Query[path]{}))
	for i, want := range []string{"holder", ""} {
		ran = ""
		if got, ok := s.Holders[i].Tag.(hostileTag); ok {
			got.f()
		}
		if ran != want {
			t.Errorf("holder %d has the tag of %q, want %q", i, ran, want)
		}
	}
	if _, ok := s.Waiters[0].Tag.(hostileTag); !ok {
		t.Error("the waiter has no tag in the snapshot")
	}

	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("", "err", err, "blocker", blocked.Blockers[0])
	inJSON := must(json.Marshal(s))
	inJSON = append(inJSON, must(json.Marshal(blocked))...)
	if text := fmt.Sprint(err, blocked.Blockers[0]) + logged.String() + string(inJSON); strings.Contains(strings.ToLower(text), "tag\"") {
		t.Errorf("a tag is shown in %s", text)
	}
}
