package where_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/cmd/treelock/internal/devetcd"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
)

// settings returns the settings of a command line. Nothing else is set.
func settings(t *testing.T, args ...string) *where.Settings {
	t.Helper()
	for _, v := range []string{"XDG_CONFIG_HOME", "HOME", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "AppData", "LocalAppData"} {
		if os.Getenv(v) != runtimeDir {
			t.Setenv(v, t.TempDir())
		}
	}
	var f where.Flags
	set := pflag.NewFlagSet("treelock", pflag.ContinueOnError)
	f.Add(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	s, err := f.Find()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// runtimeDir is kept by settings, if a test sets it.
var runtimeDir = "-"

var quiet = slog.New(slog.DiscardHandler)

// shortDir returns a folder whose name is short, as the names of sockets must be.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func dev(t *testing.T, listen string) *devetcd.Server {
	t.Helper()
	s, err := devetcd.Start(t.Context(), t.TempDir(), listen, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestStartOnASocketThatIsFound(t *testing.T) {
	runtimeDir = shortDir(t)
	t.Cleanup(func() { runtimeDir = "-" })
	t.Setenv("XDG_RUNTIME_DIR", runtimeDir)
	socket, err := where.DevSocket()
	if err != nil || !strings.HasPrefix(socket, runtimeDir) {
		t.Fatalf("DevSocket() = %s, %v", socket, err)
	}
	server := dev(t, where.SocketEndpoint(socket))
	// The server knows no users, so the user does not count.
	t.Setenv("ETCDCTL_USER", "ann")
	t.Setenv("ETCDCTL_CACERT", "/no/such/file")
	s := settings(t, "--name=me")
	if !s.Dev || s.Etcd() != server.Endpoint {
		t.Errorf("endpoints = %s, want %s", s.Etcd(), server.Endpoint)
	}
	m, stop, err := s.Start(t.Context(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	g, err := m.Acquire(t.Context(), treelock.Write("/a"))
	if err != nil {
		t.Fatal(err)
	}
	g.Release()
	stop()
	<-m.Done()
}

func TestStartWithoutAnAnswerIsUnavailableInTime(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, user := range []string{"", "ann:secret"} {
		t.Setenv("ETCDCTL_USER", user)
		for endpoint, why := range map[string]string{"http://127.0.0.1:1": "refused", "http://" + silent.Addr().String(): "within 1s"} {
			s := settings(t, "--etcd="+endpoint, "--connect-timeout=1s")
			began := time.Now()
			_, _, err := s.Start(t.Context(), quiet)
			if !errors.Is(err, where.ErrUnavailable) || !strings.HasPrefix(err.Error(), "etcd at "+endpoint+" did not answer within 1s") {
				t.Errorf("%s: %v", endpoint, err)
			}
			if user == "" && !strings.Contains(err.Error(), why) {
				t.Errorf("%s: %v, want %q", endpoint, err, why)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("%s: it took %v", endpoint, took)
			}
		}
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	for _, user := range []string{"", "ann:secret"} {
		t.Setenv("ETCDCTL_USER", user)
		s := settings(t, "--etcd=http://127.0.0.1:1", "--connect-timeout=1m", "--ttl=1m")
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		began := time.Now()
		if _, _, err := s.Start(ctx, quiet); !errors.Is(err, context.Canceled) || errors.Is(err, where.ErrUnavailable) {
			t.Errorf("user %q: %v, want %v", user, err, context.Canceled)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("user %q: it took %v", user, took)
		}
	}
}

func TestStartSaysWhatEtcdRefuses(t *testing.T) {
	server := dev(t, "http://127.0.0.1:0")
	open, err := settings(t, "--etcd="+server.Endpoint).Client()
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	_, err1 := open.UserAdd(t.Context(), "root", "secret")
	_, err2 := open.RoleAdd(t.Context(), "root")
	_, err3 := open.UserGrantRole(t.Context(), "root", "root")
	_, err4 := open.UserAdd(t.Context(), "ann", "secret")
	_, err5 := open.AuthEnable(t.Context())
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	for user, want := range map[string]string{
		"root:secret": "",
		"root:wrong":  "connect to etcd at " + server.Endpoint + ": etcdserver: authentication failed, invalid user ID or password",
		"ann:secret": `start a manager for prefix "/treelock" of etcd at ` + server.Endpoint +
			": read below the prefix: etcdserver: permission denied",
	} {
		t.Setenv("ETCDCTL_USER", user)
		// A check of a password takes a second with the race detector.
		_, stop, err := settings(t, "--etcd="+server.Endpoint, "--connect-timeout=1m", "--ttl=1m").Start(t.Context(), quiet)
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", user, err)
				continue
			}
			stop()
			continue
		}
		if err == nil || err.Error() != want || !errors.Is(err, where.ErrUnavailable) {
			t.Errorf("%s: %v, want an ErrUnavailable %q", user, err, want)
		}
	}
}
