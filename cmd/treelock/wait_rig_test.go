//go:build unix

package main

import (
	"context"
	"slices"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
	"github.com/treelock/treelock/manager/cluster"
)

// locks returns a manager of the test itself, for the prefix of the rig.
func (r rig) locks() *cluster.Manager { return process(r.T, "the test") }

// hold lets the test hold a request until it ends or release is called.
func (r rig) hold(m *cluster.Manager, req treelock.Request[treelock.Path]) (release func()) {
	r.Helper()
	return acquire(r.T, m, req).Release
}

// wantWaiting waits until requests with these labels wait, in this order.
func (r rig) wantWaiting(m *cluster.Manager, labels ...string) {
	r.Helper()
	r.until("these wait: "+join(labels), func() bool {
		s, err := m.Snapshot(context.Background(), manager.Query[treelock.Path]{})
		if err != nil {
			r.Fatal(err)
		}
		var found []string
		for _, w := range s.Waiters {
			found = append(found, w.Label)
		}
		return slices.Equal(found, labels)
	})
}

func join(labels []string) (all string) {
	for _, l := range labels {
		all += l + " "
	}
	return all
}

// testWrite is a request of the test for the folder that all tests lock.
func testWrite(*testing.T) treelock.Request[treelock.Path] {
	return treelock.Write("/a").Labeled("held by the test")
}
