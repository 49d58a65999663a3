package main

import (
	"errors"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// An operation that narrows what it has lost is given up, and has not failed.
func TestNarrowSaysThatTheGrantWasLost(t *testing.T) {
	m := manager.Start(t.Context())
	g, err := m.Acquire(t.Context(), treelock.Write("/a"))
	if err != nil {
		t.Fatal(err)
	}
	h := &held{grant: g}
	if err := h.Narrow(treelock.Write("/b")); !errors.Is(err, treelock.ErrNotHeld) {
		t.Errorf("Narrow to what is not held = %v, want ErrNotHeld", err)
	}
	if err := m.Revoke(t.Context(), g.Token(), errors.New("test")); err != nil {
		t.Fatal(err)
	}
	if err := h.Narrow(treelock.Write("/a/b")); !errors.Is(err, treelock.ErrLost) {
		t.Errorf("Narrow of a lost grant = %v, want ErrLost", err)
	}
}
