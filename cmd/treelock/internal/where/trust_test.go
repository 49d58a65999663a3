package where

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A run hands its endpoints on to what it runs.
func TestEndpointsOfARunAroundCountFirst(t *testing.T) {
	s := newSite(t)
	t.Setenv("ETCDCTL_ENDPOINTS", "http://other:1")
	t.Setenv("TREELOCK_ETCD", "http://around:1,http://around:2")
	if got, err := find(t); err != nil || got.Etcd() != "http://around:1,http://around:2" || got.placeOf("endpoints") != "TREELOCK_ETCD" {
		t.Errorf("endpoints %v, %v, want those of TREELOCK_ETCD", got.Etcd(), err)
	}
	if got, err := find(t, "--etcd=http://flag:1"); err != nil || got.Etcd() != "http://flag:1" {
		t.Errorf("endpoints %v, %v, want those of the flag", got.Etcd(), err)
	}
	// What the run around had from the project's file is not trusted here either.
	name := s.write(s.files["project"], "endpoints = [\"http://around:1\", \"http://around:2\"]\n")
	t.Setenv("ETCDCTL_USER", "ann:secret")
	if _, err := find(t); err == nil || !strings.HasPrefix(err.Error(), name) {
		t.Errorf("find: %v, want that the endpoints of %s get no password", err, name)
	}
	// What it had from treelock dev knows no users.
	socket, err := DevSocket()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TREELOCK_ETCD", SocketEndpoint(socket))
	if got, err := find(t); err != nil || !got.Dev || got.config.Username != "" {
		t.Errorf("with the socket of treelock dev: %+v, %v", got, err)
	}
}

// Another user could put a repository into a folder above that of this user.
func TestProjectsFileOfAStrangerIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" || os.Getuid() != 0 {
		t.Skip("only root can make a file of another user")
	}
	s := newSite(t)
	name := s.write(s.files["project"], "endpoints = [\"http://evil:1\"]\n")
	chown := func(name string, uid int) {
		if err := os.Chown(name, uid, -1); err != nil {
			t.Fatal(err)
		}
	}
	chown(name, 4711)
	if _, err := find(t); err == nil || !strings.HasPrefix(err.Error(), name+": ") {
		t.Errorf("find: %v, want that %s is refused", err, name)
	}
	if got, err := find(t, "--root="+s.root); err != nil || got.Etcd() != "http://evil:1" {
		t.Errorf("with a root that is named: %v", err)
	}
	chown(filepath.Join(s.root, "src"), 4711) // the working directory
	if got, err := find(t); err != nil || got.Etcd() != "http://evil:1" {
		t.Errorf("in a folder of the same user: %v", err)
	}
}
