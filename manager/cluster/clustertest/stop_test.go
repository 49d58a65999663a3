package clustertest_test

import (
	"errors"
	"testing"

	"github.com/treelock/treelock"
)

func TestCheckAfterTheEndSaysSo(t *testing.T) {
	m := start(t, "worker-1")
	m.Shutdown(canceled())
	if err := m.Check(background, treelock.Read("/a")); !errors.Is(err, treelock.ErrStopped) {
		t.Errorf("Check of a manager that has stopped = %v, want ErrStopped", err)
	}
	if _, err := m.Guard(background, treelock.Grant[treelock.Path]{}); err == nil {
		t.Error("Guard of no grant brings a condition")
	}
}
