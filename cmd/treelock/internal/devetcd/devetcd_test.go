package devetcd

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"
)

// Two servers that start at once both find a dead socket: the lock decides, and not the socket.
func TestSocketOfAServerThatBeginsIsLeftAlone(t *testing.T) {
	dir, err := os.MkdirTemp("", "tl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := dir + "/x.sock"
	other, err := fileutil.TryLockFile(socket+".lock", os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), dir+"/data", "unix://"+socket, true); !errors.Is(err, ErrBusy) || !strings.HasSuffix(err.Error(), " at "+socket) {
		t.Errorf("Start = %v, want an ErrBusy", err)
	}
	other.Close()
	s, err := Start(t.Context(), dir+"/data", "unix://"+socket, true)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

// The socket is open to this user alone, from the moment at which it is there.
func TestSocketIsForOneUser(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("sockets have no modes")
	}
	dir, err := os.MkdirTemp("", "tl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := dir + "/x.sock"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	open := make(chan os.FileMode)
	go func() {
		var seen os.FileMode
		for ctx.Err() == nil {
			if info, err := os.Lstat(socket); err == nil {
				seen |= info.Mode().Perm()
			}
		}
		open <- seen
	}()
	s, err := Start(ctx, dir+"/data", "unix://"+socket, true)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if mode := <-open; mode&0o077 != 0 {
		t.Errorf("the socket has the mode %v", mode)
	}
	s.Close()
}
