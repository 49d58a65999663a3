package clustertest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager/cluster"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// wantNoStart checks that Start fails within the time that its context has, and says why, and
// leaves neither goroutines nor keys.
func wantNoStart(t *testing.T, etcd *clientv3.Client, prefix string, patience time.Duration, why string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(background, patience)
	defer cancel()
	began := time.Now()
	m, err := cluster.Start(ctx, etcd, prefix, cluster.WithTTL(testTTL), quiet)
	if err == nil {
		m.Shutdown(ctx)
		t.Fatalf("Start of prefix %q succeeds, want an error with %q", prefix, why)
	}
	if took := time.Since(began); took > min(patience, testTTL)+stall {
		t.Errorf("Start took %v, its context had %v", took, patience)
	}
	if !strings.Contains(err.Error(), why) || !strings.HasPrefix(err.Error(), "treelock: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%q, want a line with %q", err, why)
	}
	t.Log(err)
	wantNoGoroutines(t)
	return err
}

// wantNoGoroutines waits until there is no goroutine of a manager, and no watch. The client has
// other goroutines, which live as long as its connections.
func wantNoGoroutines(t *testing.T) {
	t.Helper()
	for until := time.Now().Add(2 * time.Second); ; time.Sleep(time.Millisecond) {
		buf := make([]byte, 1<<20)
		var left []string
		for _, stack := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			ours := strings.Contains(stack, "treelock/manager.") || strings.Contains(stack, "treelock/manager/cluster.") || strings.Contains(stack, "watchGRPCStream")
			if ours && !strings.Contains(stack, "testing.tRunner(") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(until) {
			t.Fatal("goroutines are left:\n" + strings.Join(left, "\n\n"))
		}
	}
}

func TestStartSaysThatNoServerIsThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	l.Close() // nothing listens there any more
	err = wantNoStart(t, clientFor(t, []string{url}), "/a", time.Second, "connection refused")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want one that is the context's", err)
	}
	wantNoStart(t, clientFor(t, []string{url}), "/a", 20*time.Second, url)
}

func TestStartSaysThatNoServerAnswers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // connections are never accepted
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	wantNoStart(t, clientFor(t, []string{"http://" + l.Addr().String()}), "/a", time.Second, "deadline exceeded")
}

func TestStartSaysThatAServerIsNoEtcd(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
			c.Close()
		}
	}()
	wantNoStart(t, clientFor(t, []string{"http://" + l.Addr().String()}), "/a", time.Second, "no server can be reached")
}

func TestStartRefusesABadPrefix(t *testing.T) {
	for _, prefix := range []string{"", "/", "//"} {
		wantNoStart(t, client(t), prefix, time.Second, "prefix is empty")
	}
}

func TestStartRefusesAPrefixOfAnotherFormat(t *testing.T) {
	etcd := client(t)
	for value, why := range map[string]string{
		`{"format":0,"cluster":"x"}`:  "another program's value",
		`{"format":99,"cluster":"x"}`: "the format of the prefix is 99",
		`{"format":-1,"cluster":"x"}`: "another program's value",
		`hello`:                       "another program's value",
		`{"format":1,"cluster":"x"}`:  "restored from a backup",
	} {
		if _, err := etcd.Put(background, "/"+t.Name()+"/meta", value); err != nil {
			t.Fatal(err)
		}
		wantNoStart(t, etcd, "/"+t.Name(), 5*time.Second, why)
	}
}

// What others have put below the prefix is either ignored, or fences the session that it says it is
// of. It never stops a manager.
func TestForeignValuesBelowThePrefixHarmNoRequest(t *testing.T) {
	etcd := client(t)
	prefix := "/" + t.Name()
	keys := []string{"/x", "/q/x", "/q/0000000000000001/1/a", "/q/0000000000000001/1/d", "/q/0000000000000002/1/a",
		"/q/0000000000000002/01/a", "/q/0000000000000003/1/x/0", "/c/0000000000000001", "/c/hello"}
	put := func() {
		for _, key := range keys {
			if _, err := etcd.Put(background, prefix+key, "hello"); err != nil {
				t.Fatal(err)
			}
		}
	}
	put()
	a := start(t, "worker-1")
	put()
	b := start(t, "worker-2")
	g := acquire(t, a, treelock.Write("/a"))
	put()
	wantConflict(t, b, treelock.Write("/a"))
	g.Release()
	acquire(t, b, treelock.Write("/a")).Release()
	if err := g.Err(); !errors.Is(err, treelock.ErrReleased) {
		t.Errorf("%v, want ErrReleased", err)
	}
}

// The context ends at one moment after the other, from before the first message until after the
// last one.
func TestContextMayEndAtAnyMomentOfStart(t *testing.T) {
	etcd := client(t)
	prefix := "/" + t.Name()
	started := 0
	for d := time.Duration(0); started < 5 && d < time.Second; d += d/10 + 100*time.Microsecond {
		ctx, cancel := context.WithTimeout(background, d)
		began := time.Now()
		m, err := cluster.Start(ctx, etcd, prefix, cluster.WithTTL(testTTL), quiet)
		switch {
		case err == nil:
			started++
			<-m.Done() // when ctx ends
		case !errors.Is(err, context.DeadlineExceeded):
			t.Errorf("after %v: %v, want DeadlineExceeded", d, err)
		case time.Since(began) > d+stall:
			t.Errorf("Start took %v, its context had %v", time.Since(began), d)
		}
		cancel()
		wantNoGoroutines(t)
	}
	awaitEmpty(t, etcd, prefix)
}

func TestContextMayEndAtAnyMomentOfAcquire(t *testing.T) {
	a, b := start(t, "worker-1"), start(t, "worker-2")
	held := acquire(t, a, treelock.Write("/b"))
	calls := map[string]func(ctx context.Context) (treelock.Grant[treelock.Path], error){
		"acquire": func(ctx context.Context) (treelock.Grant[treelock.Path], error) {
			return b.Acquire(ctx, treelock.Write("/a"))
		},
		"acquire what is held": func(ctx context.Context) (treelock.Grant[treelock.Path], error) {
			return b.Acquire(ctx, treelock.Write("/a", "/b"))
		},
		"try": func(ctx context.Context) (treelock.Grant[treelock.Path], error) {
			return b.TryAcquire(ctx, treelock.Write("/a"))
		},
		"ticket": func(ctx context.Context) (g treelock.Grant[treelock.Path], err error) {
			ticket, err := b.Submit(ctx, treelock.Write("/a"))
			if err != nil {
				return g, err
			}
			return ticket.Wait(ctx)
		},
	}
	for name, call := range calls {
		granted := 0
		for d := time.Duration(0); granted < 5 && d < 20*time.Millisecond; d += d/20 + 20*time.Microsecond {
			ctx, cancel := context.WithTimeout(background, d)
			g, err := call(ctx)
			switch {
			case err == nil:
				granted++
				g.Release()
			case !errors.Is(err, treelock.ErrGaveUp) || !errors.Is(err, context.DeadlineExceeded):
				t.Errorf("%s after %v: %v, want ErrGaveUp", name, d, err)
			}
			cancel()
		}
		if granted == 0 && name != "acquire what is held" {
			t.Errorf("%s: never granted", name)
		}
	}
	held.Release()
	acquire(t, a, treelock.Write("/")).Release() // nothing is left of them
	if err := b.Drain(background); err != nil {
		t.Error(err)
	}
	wantNoKeys(t)
}

// wantNoKeys waits until no request is left below the prefix of a test.
func wantNoKeys(t testing.TB) {
	t.Helper()
	etcd := client(t)
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		resp, err := etcd.Get(background, "/"+t.Name()+"/q/", clientv3.WithPrefix(), clientv3.WithKeysOnly())
		if err != nil {
			t.Fatal(err)
		}
		if len(resp.Kvs) == 0 {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("requests are left: %v", resp.Kvs)
		}
	}
}
