package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
	"github.com/treelock/treelock/manager"
	clientv3 "go.etcd.io/etcd/client/v3"
)

func TestCheckSaysWhetherItWouldWait(t *testing.T) {
	a := process(t, "worker-1")
	g := acquire(t, a, treelock.Write("/src/api").Labeled("deploy 7"))
	run(t, "check", "--raw", "-r", "/docs").want(t, 0, "free\n")
	run(t, "check", "--raw", "-w", "/src").want(t, 1, "would wait for worker-1 (token "+tokenOf(g)+`, "deploy 7", write /src/api, holding for `)
	run(t, "check", "--raw", "--read-node", "/src").want(t, 0)
	run(t, "check", "--raw", "-w", "/docs", "/src/api").want(t, 1)
	run(t, "check", "--raw", "--json", "-w", "/src").want(t, 1, `{"free":false,"claims":[{"access":"write","scope":"subtree","path":"/src"}],"blocked_by":[{"token":`+tokenOf(g))
	run(t, "check", "--raw", "--json", "-r", "/x").want(t, 0, `{"free":true,"claims":[{"access":"read","scope":"subtree","path":"/x"}],"blocked_by":[]}`)
	run(t, "check").want(t, 64)
	run(t, "check", "--raw", "-w", "/a", "-r", "/b", "/c").want(t, 64, "/c")
	run(t, "check", "--raw", "-w", "no path").want(t, 64)
	if s := a.Stats(); s.Granted != 1 {
		t.Errorf("%d grants in the other process, want 1", s.Granted)
	}
}

func TestCheckCannotKnowWithoutEtcd(t *testing.T) {
	for _, args := range [][]string{{"check", "--raw", "-w", "/a"}, {"ls"}, {"guard", "--raw", "/a"}, {"break", "7", "--yes", "--reason", "r"}} {
		cmd := command(t, args...)
		cmd.Args = append(cmd.Args, "--etcd", "127.0.0.1:1", "--connect-timeout", "200ms")
		for i, arg := range cmd.Args {
			if arg == "--etcd" {
				cmd.Args[i+1] = "127.0.0.1:1"
			}
		}
		finish(t, cmd).want(t, statusUnavailable, "treelock: ")
	}
}

func TestBreakEndsARequestOfAnotherProcess(t *testing.T) {
	a := process(t, "worker-1")
	g := acquire(t, a, treelock.Write("/a").Labeled("deploy 7"))
	_, waits := waiter(t, a, treelock.Read("/a"))
	run(t, "break", tokenOf(g)).want(t, 64, "no --reason")
	run(t, "break", tokenOf(g), "--reason", "it hangs").want(t, 64, "--yes")
	run(t, "break", "x", "--reason", "it hangs").want(t, 64, "no")
	run(t, "break", "12345", "--reason", "it hangs", "--yes").want(t, 1, "no live request has the token 12345")
	if err := g.Err(); err != nil {
		t.Fatalf("a refused break has ended the grant: %v", err)
	}
	s, err := a.Snapshot(within(t), manager.Query[treelock.Path]{})
	if err != nil || len(s.Waiters) != 1 {
		t.Fatalf("%+v, %v: want a waiter", s, err)
	}
	run(t, "break", fmt.Sprint(s.Waiters[0].Token), "--reason", "it hangs", "--yes").want(t, 0, "has ended", "waiting for ")
	wantLost(t, waits(), "it hangs")
	run(t, "break", tokenOf(g), "--reason", "it hangs", "--yes", "--json").want(t, 0, `"change":"ended"`, `"deploy 7"`)
	wantLost(t, g.Err(), "it hangs")
}

func wantLost(t *testing.T, err error, why string) {
	t.Helper()
	if !errors.Is(err, treelock.ErrLost) || !strings.Contains(err.Error(), why) {
		t.Errorf("%v, want ErrLost with %q", err, why)
	}
}

// A slowAnswer is read once, and answers yes after something has happened.
type slowAnswer func()

func (a slowAnswer) Read(b []byte) (int, error) {
	a()
	return copy(b, "y\n"), io.EOF
}

// While the question is asked, the lease of break ends. The numbers of all requests in its process
// are others in the next one.
func TestBreakFindsTheRequestAfterALostLease(t *testing.T) {
	a := process(t, "worker-1")
	g := acquire(t, a, treelock.Write("/a"))
	client := clientOf(t, etcd(t))
	leases := func() map[clientv3.LeaseID]bool {
		resp, err := client.Get(within(t), prefixOf(t)+"/c/", clientv3.WithPrefix())
		if err != nil {
			t.Fatal(err)
		}
		all := map[clientv3.LeaseID]bool{}
		for _, kv := range resp.Kvs {
			all[clientv3.LeaseID(kv.Lease)] = true
		}
		return all
	}
	others := leases()
	l := &looker{Settings: &where.Settings{Name: "me", Connect: deadline}, locks: process(t, "me")}
	own := acquire(t, l.locks, treelock.Write("/own"))
	b := &breaker{reason: "it hangs", timeout: deadline, out: io.Discard, err: io.Discard, in: slowAnswer(func() {
		for lease := range leases() {
			if !others[lease] {
				client.Revoke(within(t), lease)
			}
		}
		<-own.Lost()
		for end := time.Now().Add(deadline); l.locks.Check(within(t), treelock.For[treelock.Path]()) != nil && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
	})}
	if err := b.end(within(t), l, g.Token()); err != nil {
		t.Fatal(err)
	}
	wantLost(t, g.Err(), "it hangs")
}
