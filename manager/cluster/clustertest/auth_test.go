package clustertest_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager/cluster"
	"github.com/treelock/treelock/manager/cluster/clustertest"
	"go.etcd.io/etcd/api/v3/authpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
)

// A guarded server knows users by password. Each of them has a role of the same name.
type guarded struct {
	testing.TB
	*clustertest.Server
	root *clientv3.Client
}

// startGuarded starts a server on which root may do all, and each user may use a prefix.
func startGuarded(t testing.TB, tokenTTL uint, prefixes map[string]string) *guarded {
	t.Helper()
	server := startServers(t, 1, func(s *clustertest.Server) { s.TokenTTL = tokenTTL })[0]
	open := clientFor(t, []string{server.Client})
	g := &guarded{t, server, open}
	g.addUser("root")
	for user, prefix := range prefixes {
		g.addUser(user)
		g.permit(user, prefix, clientv3.PermReadWrite)
	}
	if _, err := open.AuthEnable(background); err != nil {
		t.Fatal(err)
	}
	g.root = g.as("root")
	return g
}

func (g *guarded) addUser(name string) {
	g.Helper()
	_, err1 := g.root.UserAdd(background, name, "secret")
	_, err2 := g.root.RoleAdd(background, name)
	_, err3 := g.root.UserGrantRole(background, name, name)
	if err := errors.Join(err1, err2, err3); err != nil {
		g.Fatal(err)
	}
}

// permit gives a user a permission for the keys below a prefix, in place of that which it has.
func (g *guarded) permit(user, prefix string, what authpb.Permission_Type) {
	g.Helper()
	end := clientv3.GetPrefixRangeEnd(prefix)
	if _, err := g.root.RoleGrantPermission(background, user, prefix, end, clientv3.PermissionType(what)); err != nil {
		g.Fatal(err)
	}
}

// forbid takes the permission of a user away.
func (g *guarded) forbid(user, prefix string) {
	g.Helper()
	if _, err := g.root.RoleRevokePermission(background, user, prefix, clientv3.GetPrefixRangeEnd(prefix)); err != nil {
		g.Fatal(err)
	}
}

// as returns a client of a user.
func (g *guarded) as(user string, opts ...grpc.DialOption) *clientv3.Client {
	g.Helper()
	c, err := clientv3.New(clientv3.Config{
		Endpoints: []string{g.Client}, Username: user, Password: "secret", Logger: zap.NewNop(), DialOptions: opts,
	})
	if err != nil {
		g.Fatal(err)
	}
	g.Cleanup(func() { c.Close() })
	return c
}

// start starts a manager of a user, with a client of its own.
func (g *guarded) start(user, prefix string, ttl time.Duration, opts ...cluster.Option) *cluster.Manager {
	g.Helper()
	opts = append([]cluster.Option{cluster.WithName(user), cluster.WithTTL(ttl), quiet}, opts...)
	m, err := cluster.Start(background, g.as(user), prefix, opts...)
	if err != nil {
		g.Fatal(err)
	}
	g.Cleanup(func() {
		m.Shutdown(canceled())
		<-m.Done()
	})
	return m
}

func TestStartSaysWhatIsNotPermitted(t *testing.T) {
	g := startGuarded(t, 0, map[string]string{"ann": "/ann/", "bob": "/bob/", "carol": "/ann/q/", "dave": "/dave/"})
	g.permit("bob", "/ann/", clientv3.PermRead)
	g.permit("dave", "/ann/", clientv3.PermWrite)
	stranger := clientFor(t, []string{g.Client})
	const read, write = "read below the prefix: ", "write below the prefix: "
	for _, test := range []struct {
		etcd *clientv3.Client
		why  string
	}{
		{stranger, read}, {g.as("bob"), write}, {g.as("dave"), read}, {g.as("carol"), read},
	} {
		err := wantNoStart(t, test.etcd, "/ann", 5*time.Second, test.why)
		if !strings.Contains(err.Error(), `prefix "/ann"`) {
			t.Errorf("the error does not say the prefix: %v", err)
		}
	}
	wantNothing(t, g.root, "/ann")
	m := g.start("ann", "/ann", testTTL)
	acquire(t, m, treelock.Write("/a")).Release()
	time.Sleep(testTTL) // the lease is renewed
	acquire(t, m, treelock.Write("/a")).Release()
	if err := m.Shutdown(background); err != nil {
		t.Error(err)
	}
	awaitEmpty(t, g.root, "/ann")
}

// wantNothing checks that nothing is under a prefix, not even the version of the format.
func wantNothing(t testing.TB, etcd *clientv3.Client, prefix string) {
	t.Helper()
	resp, err := etcd.Get(background, prefix+"/", clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil || len(resp.Kvs) > 0 {
		t.Errorf("under the prefix: %v (%v)", resp.Kvs, err)
	}
}

// A token of a user counts for 2 s. The managers renew their leases every 3 s, so each renewal, and
// each request after a pause, finds that it has ended.
func TestPasswordsWithShortTokensLoseNothing(t *testing.T) {
	t.Parallel()
	const ttl = 9 * time.Second
	g := startGuarded(t, 2, map[string]string{"ann": "/locks/"})
	a, b := g.start("ann", "/locks", ttl), g.start("ann", "/locks", ttl)
	held := acquire(t, a, treelock.Write("/a"))
	var waiting []<-chan treelock.Grant[treelock.Path]
	for i, req := range []treelock.Request[treelock.Path]{treelock.Write("/a/x"), treelock.Read("/a")} {
		ticket, err := b.Submit(background, req)
		if err != nil {
			t.Fatal(err)
		}
		waiting = append(waiting, ticket.Granted())
		for b.Stats().Waiting <= i {
			time.Sleep(time.Millisecond)
		}
	}
	idle := func() {
		t.Helper()
		time.Sleep(3500 * time.Millisecond)
		if err := held.Err(); err != nil {
			t.Fatalf("%v, want that the grant is held", err)
		}
		for i, c := range waiting {
			select {
			case <-c:
				t.Fatalf("request %d was granted before its turn", i)
			default:
			}
		}
	}
	idle()
	acquire(t, a, treelock.Write("/b")).Release()
	g.Kill() // it forgets all tokens
	if err := g.Run(); err != nil {
		t.Fatal(err)
	}
	idle()
	acquire(t, b, treelock.Write("/b")).Release()
	last := held.Token()
	held.Release()
	for i, c := range waiting {
		grant := wait(t, c, "the next one is granted")
		if grant.Token() <= last {
			t.Errorf("request %d has token %d after %d", i, grant.Token(), last)
		}
		last = grant.Token()
		grant.Release()
	}
	for _, m := range []*cluster.Manager{a, b} {
		if err := m.Shutdown(background); err != nil {
			t.Error(err)
		}
	}
	awaitEmpty(t, g.root, "/locks")
}

// To check a password takes etcd 65 ms of a processor.
func TestRenewalChecksNoPassword(t *testing.T) {
	t.Parallel()
	g := startGuarded(t, 0, map[string]string{"ann": "/locks/"})
	m := g.start("ann", "/locks", testTTL)
	held := acquire(t, m, treelock.Write("/a"))
	before := g.authentications()
	time.Sleep(3 * testTTL / 2) // four renewals, and a fifth maybe
	if n := g.authentications() - before; n > 1 {
		t.Errorf("etcd has checked a password %d times in four renewals", n)
	}
	if err := held.Err(); err != nil {
		t.Errorf("%v, want that the grant is held", err)
	}
}

// A server that many clients ask at once to check passwords takes long for each.
func TestPasswordThatTakesLongToCheck(t *testing.T) {
	t.Parallel()
	g := startGuarded(t, 0, map[string]string{"ann": "/locks/"})
	const takes, ttl = 2500 * time.Millisecond, 12 * time.Second // a renewal begins with 2 s
	slow := func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, call grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if strings.HasSuffix(method, "/Authenticate") {
			select {
			case <-ctx.Done():
			case <-time.After(takes):
			}
		}
		return call(ctx, method, req, reply, cc, opts...)
	}
	m, err := cluster.Start(background, g.as("ann", grpc.WithUnaryInterceptor(slow)), "/locks", cluster.WithTTL(ttl), quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { m.Shutdown(background); <-m.Done() }()
	held := acquire(t, m, treelock.Write("/a"))
	first := m.Deadline()
	for m.Deadline().Equal(first) && held.Err() == nil {
		time.Sleep(100 * time.Millisecond)
	}
	if err := held.Err(); err != nil {
		t.Errorf("%v, want that the lease is renewed", err)
	}
	held.Release()
}

// authentications returns how often the server was asked to check a password.
func (g *guarded) authentications() (n int) {
	g.Helper()
	defer http.DefaultClient.CloseIdleConnections()
	resp, err := http.Get(g.Client + "/metrics")
	if err != nil {
		g.Fatal(err)
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if line := lines.Text(); strings.HasPrefix(line, "grpc_server_started_total{") && strings.Contains(line, `"Authenticate"`) {
			fmt.Sscan(line[strings.LastIndex(line, " "):], &n)
			return n
		}
	}
	g.Fatal("the server does not count")
	return 0
}

// watchLosses returns a channel of the times at which keys of requests below a prefix are deleted.
func watchLosses(t testing.TB, etcd *clientv3.Client, prefix string) <-chan time.Time {
	t.Helper()
	ctx, cancel := context.WithCancel(background)
	t.Cleanup(cancel)
	events := etcd.Watch(ctx, prefix+"/q/", clientv3.WithPrefix(), clientv3.WithCreatedNotify(), clientv3.WithFilterPut())
	wait(t, events, "the watch is there")
	deleted := make(chan time.Time, 100)
	go func() {
		for range events {
			select {
			case deleted <- time.Now():
			default:
			}
		}
	}()
	return deleted
}

func TestTakingAPermissionAwayEndsWhatIsHeldInTime(t *testing.T) {
	t.Parallel()
	g := startGuarded(t, 0, map[string]string{"ann": "/ann/", "bob": "/bob/", "carol": "/carol/"})
	forbid := func(user string) { g.forbid(user, "/"+user+"/") }
	for user, take := range map[string]func(){
		"ann":   func() { forbid("ann") },
		"bob":   func() { g.permit("bob", "/bob/", clientv3.PermRead) },
		"carol": func() { g.permit("carol", "/carol/", clientv3.PermWrite) },
	} {
		t.Run(user, func(t *testing.T) {
			t.Parallel()
			testTaken(t, &guarded{t, g.Server, g.root}, user, take)
		})
	}
}

// testTaken takes the permission of a user away, who holds and waits, and gives it back.
func testTaken(t *testing.T, g *guarded, user string, take func()) {
	prefix := "/" + user
	const ttl = 10 * time.Second // a busy holder has a tenth of it to learn of the loss
	a, b, root := g.start(user, prefix, ttl), g.start(user, prefix, ttl), g.start("root", prefix, ttl)
	held := acquire(t, a, treelock.Write("/a"))
	deleted := watchLosses(t, g.root, prefix)
	waited := make(chan struct{})
	go func() {
		defer close(waited)
		// The lease of b may end later than that of a, and then b holds it for the rest of its own.
		got, err := b.Acquire(background, treelock.Write("/a"))
		if err == nil {
			<-got.Lost()
			err = got.Err()
		}
		if !errors.Is(err, treelock.ErrLost) {
			t.Errorf("%v, want ErrLost", err)
		}
	}()
	for b.Stats().Waiting == 0 {
		time.Sleep(time.Millisecond)
	}
	others := make(chan treelock.Grant[treelock.Path], 1)
	go func() { others <- acquire(t, root, treelock.Write("/a")) }()

	take()
	wait(t, held.Lost(), "the holder knows")
	lost := time.Now()
	if at := wait(t, deleted, "the lease ends"); !lost.Before(at) {
		t.Errorf("the holder knew only %v after etcd had deleted its key", lost.Sub(at))
	}
	wait(t, waited, "the waiting request is lost too")
	other := wait(t, others, "another process goes on")
	if other.Token() <= held.Token() {
		t.Errorf("token %d after %d", other.Token(), held.Token())
	}
	other.Release()
	wantRefused(t, a, "permission denied")
	if err := root.Shutdown(background); err != nil {
		t.Error(err)
	}
	awaitEmpty(t, g.root, prefix)

	g.permit(user, prefix+"/", clientv3.PermReadWrite)
	for _, m := range []*cluster.Manager{a, b} {
		acquire(t, m, treelock.Write("/a")).Release()
		if err := m.Shutdown(background); err != nil {
			t.Error(err)
		}
	}
	awaitEmpty(t, g.root, prefix)
}

func TestPermissionThatComesBackInTimeLosesNothing(t *testing.T) {
	t.Parallel()
	g := startGuarded(t, 0, map[string]string{"ann": "/ann/"})
	var failures bytes.Buffer
	a, b := g.start("ann", "/ann", 6*time.Second), g.start("ann", "/ann", 6*time.Second, logTo(&failures))
	held := acquire(t, a, treelock.Write("/a"))
	waiting := make(chan treelock.Grant[treelock.Path], 2)
	begin := func(req treelock.Request[treelock.Path]) { go func() { waiting <- acquire(t, b, req) }() }
	begin(treelock.Write("/a"))
	for b.Stats().Waiting == 0 {
		time.Sleep(time.Millisecond)
	}
	g.forbid("ann", "/ann/")
	begin(treelock.Write("/b")) // it has no place yet
	time.Sleep(2500 * time.Millisecond)
	select {
	case <-waiting:
		t.Fatal("granted without permission")
	default:
	}
	g.permit("ann", "/ann/", clientv3.PermReadWrite)
	wait(t, waiting, "the request without a place is granted").Release()
	if err := held.Err(); err != nil {
		t.Errorf("%v, want that the grant is held", err)
	}
	held.Release()
	wait(t, waiting, "the waiting request is granted").Release()
	for _, m := range []*cluster.Manager{a, b} {
		if err := m.Shutdown(background); err != nil {
			t.Error(err)
		}
	}
	awaitEmpty(t, g.root, "/ann")
	// The watch, the renewal and the transaction: each is tried about 20 times in a second.
	if n := strings.Count(failures.String(), "\n"); n == 0 || n > 5 {
		t.Errorf("%d lines were logged, want a few:\n%s", n, failures.String())
	}
}
