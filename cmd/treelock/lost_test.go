//go:build unix

package main

import (
	"context"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// twoBeats is a shell script with a child in the background and one that it waits for.
const twoBeats = "./beat one & ./beat two; wait"

// newBeatRig returns a rig with a program that beats, and with leases that soon end.
func newBeatRig(t *testing.T) rig {
	r := newRig(t)
	r.ttl = "6s"
	r.stalls = watchStalls(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(exe, r.path("beat")); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestKilledRunTakesItsGroupAlong kills treelock run, which can then do nothing more.
func TestKilledRunTakesItsGroupAlong(t *testing.T) {
	t.Parallel()
	r := newBeatRig(t)
	first := r.start(r.lock("-w", "a", "sh", "-c", twoBeats))
	r.pulse("one")
	r.pulse("two")
	r.start(r.lock("-w", "a", "./beat", "next"))
	first.signal(syscall.SIGKILL)
	r.until("the group is dead", func() bool { return !lives(r.pulse("one").pid) && !lives(r.pulse("two").pid) })
	r.wantDeadBefore("next", "one", "two")
}

// TestKilledGuardianIsReplaced kills the guardian, and then treelock run.
func TestKilledGuardianIsReplaced(t *testing.T) {
	t.Parallel()
	r := newBeatRig(t)
	first := r.start(r.lock("-w", "a", "./beat", "one"))
	r.pulse("one")
	old := r.guardian(first)
	syscall.Kill(old, syscall.SIGKILL)
	r.until("there is another guardian", func() bool { n := r.guardian(first); return n != 0 && n != old })
	first.signal(syscall.SIGKILL)
	r.start(r.lock("-w", "a", "./beat", "next"))
	r.wantDeadBefore("next", "one")
}

// TestStoppedRunLosesItsGroup stops treelock run for longer than its lease.
func TestStoppedRunLosesItsGroup(t *testing.T) {
	t.Parallel()
	r := newBeatRig(t)
	r.ttl = "9s" // a busy machine may take seconds to start the guardian
	first := r.start(r.lock("-w", "a", "sh", "-c", twoBeats))
	r.pulse("one")
	r.pulse("two")
	r.start(r.lock("-w", "a", "./beat", "next"))
	first.signal(syscall.SIGSTOP)
	r.wantDeadBefore("next", "one", "two")
	first.signal(syscall.SIGCONT)
	if status, stderr := r.status(first); status != statusLost {
		t.Errorf("run exits with %d and %q, want %d", status, stderr, statusLost)
	}
}

// TestUnreachableEtcdEndsTheCommand cuts treelock run off from etcd.
func TestUnreachableEtcdEndsTheCommand(t *testing.T) {
	t.Parallel()
	r := newBeatRig(t)
	var cut func()
	direct := r.etcd
	r.etcd, cut = proxy(t, direct)
	first := r.start(r.lock("-w", "a", "sh", "-c", `trap 'echo yes > term' TERM; ./beat one & while :; do sleep 0.05; done`))
	r.pulse("one")
	r.etcd = direct
	r.start(r.lock("-w", "a", "./beat", "next"))
	cut()
	r.wantDeadBefore("next", "one")
	status, stderr := r.status(first)
	if status != statusLost || !strings.Contains(stderr, "treelock: the lock was lost while sh ran: ") {
		t.Errorf("run exits with %d and %q, want %d", status, stderr, statusLost)
	}
	r.file("term")
}

// endLeases ends all leases of the rig in etcd.
func (r rig) endLeases() {
	r.Helper()
	etcd := clientOf(r.T, r.etcd)
	resp, err := etcd.Get(context.Background(), r.prefix+"/", clientv3.WithPrefix())
	if err != nil {
		r.Fatal(err)
	}
	for _, kv := range resp.Kvs {
		if kv.Lease != 0 {
			etcd.Revoke(context.Background(), clientv3.LeaseID(kv.Lease))
		}
	}
}

// TestRevokedLeaseEndsTheCommand ends the lease in etcd. The command has the grace to end, and uses
// all of it. The deadline is later than the test has time.
func TestRevokedLeaseEndsTheCommand(t *testing.T) {
	t.Parallel()
	r := newBeatRig(t)
	r.ttl = "60s"
	first := r.start(r.lock("-w", "a", "--grace", "1s", "sh", "-c", `trap 'echo yes > term' TERM; ./beat one & echo > ready; while :; do sleep 0.05; done`))
	r.file("ready")
	r.pulse("one")
	r.endLeases()
	revoked := time.Now()
	status, stderr := r.status(first)
	if status != statusLost {
		t.Errorf("run exits with %d and %q, want %d", status, stderr, statusLost)
	}
	r.file("term")
	if after := r.pulse("one").last.Sub(revoked); after < 500*time.Millisecond || after > 15*time.Second {
		t.Errorf("the command was killed %v after the loss, and the grace is 1s", after)
	}
	if lives(r.pulse("one").pid) {
		t.Error("a process of the command lives on")
	}
}

// TestLossIsToldAtOnce has a command that ends when it sees that the loss was told.
func TestLossIsToldAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ttl = "60s"
	cmd := r.lock("-w", "a", "--grace", "15s", "sh", "-c",
		`trap 'until grep -q "must end" log; do sleep 0.05; done; echo > told; exit 0' TERM; echo > ready; echo $TREELOCK_TOKEN > token; while :; do sleep 0.05; done`)
	log, err := os.Create(r.path("log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stderr = log
	p := r.start(cmd)
	r.file("ready")
	breaker := r.command("break", "--prefix", r.prefix, "--yes", "--reason", "it hangs", r.file("token"))
	r.status(r.start(breaker))
	if status, _ := r.status(p); status != statusLost {
		t.Errorf("run exits with %d, want %d", status, statusLost)
	}
	r.file("told")
	if got := r.file("log"); !strings.Contains(got, "treelock: the lock is lost, so sh must end: ") || !strings.Contains(got, "it hangs") {
		t.Errorf("run writes %q", got)
	}
}

// TestCommandThatEndsInTimeIsLostAllTheSame ends a command by SIGTERM, with status 0.
func TestCommandThatEndsInTimeIsLostAllTheSame(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ttl = "6s"
	r.stalls = watchStalls(t)
	var cut func()
	r.etcd, cut = proxy(t, r.etcd)
	p := r.start(r.lock("-w", "a", "sh", "-c", `trap 'exit 0' TERM; echo > ready; while :; do sleep 0.05; done`))
	r.file("ready")
	cut()
	if status, stderr := r.status(p); status != statusLost {
		t.Errorf("run exits with %d and %q, want %d", status, stderr, statusLost)
	}
}

// proxy passes connections on to a server until it is cut.
func proxy(t *testing.T, to string) (url string, cut func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("unix", strings.TrimPrefix(to, "unix://"))
			if err != nil {
				in.Close()
				continue
			}
			context.AfterFunc(ctx, func() { in.Close(); out.Close() })
			go io.Copy(in, out)
			go io.Copy(out, in)
		}
	}()
	cut = func() { l.Close(); cancel() }
	t.Cleanup(cut)
	return "http://" + l.Addr().String(), cut
}
