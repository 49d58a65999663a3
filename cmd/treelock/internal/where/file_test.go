package where

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWrongFileIsAnErrorThatNamesFileAndLine(t *testing.T) {
	for _, test := range []struct{ file, text, want string }{
		{"user", "prefix = \"/a\"\n\nprefx = \"/b\"\n", `:3: unknown key "prefx"`},
		{"user", "# x = 1\n[etcd]\nendpoints = []\n", `:2: unknown key "etcd"`},
		{"user", "etcd.endpoints = []\n", `:1: unknown key "etcd"`},
		{"user", "\"a b\" = 1\nx = 1\n", `:1: unknown key "a b"`},
		{"user", "prefix = 1\n", ":1: prefix must be a string"},
		{"user", "ttl = 10\n", ":1: ttl must be a string"},
		{"user", "\nraw = \"true\"\n", ":2: raw must be true or false"},
		{"user", "endpoints = \"a:1\"\n", ":1: endpoints must be a list of strings"},
		{"user", "endpoints = [1]\n", ":1: endpoints must be a list of strings without commas"},
		{"user", "endpoints = [\"a:1,b:1\"]\n", ":1: endpoints must be a list of strings without commas"},
		{"user", "prefix = \"/a\"\nprefix = \"/b\"\n", ":2: Key 'prefix' has already been defined."},
		{"user", "prefix = \"/a\"\nttl = \n", ":2: expected value but found '\\n' instead"},
		{"user", "endpoints = [\"a:1\"]\nttl = \"1s\"\n", ": ttl 1s: it must be from 2s to 1m0s"},
		{"machine", "endpoints = []\n", ": endpoints : an endpoint is empty"},
		{"machine", "x = 1\n", `:1: unknown key "x"`},
		{"project", "x = 1\n", `:1: unknown key "x"`},
		{"project", "\npassword = \"p\"\n", ":2: a project's file may not set password"},
		{"project", "user = \"u\"\n", ":1: a project's file may not set user"},
		{"project", "key = \"k\"\n", ":1: a project's file may not set key"},
		{"project", "cert = \"k\"\n", ":1: a project's file may not set cert"},
		{"project", "cacert = \"k\"\n", ":1: a project's file may not set cacert"},
		{"project", "insecure-skip-tls-verify = true\n", ":1: a project's file may not set insecure-skip-tls-verify"},
		{"project", "root = \"/\"\n", ":1: a project's file may not set root"},
		{"project", "name = \"x\"\n", ":1: a project's file may not set name"},
	} {
		s := newSite(t)
		name := s.write(s.files[test.file], test.text)
		_, err := find(t)
		if want := name + test.want; err == nil || err.Error() != want || !errors.Is(err, ErrConfig) {
			t.Errorf("%q: %v, want an ErrConfig %q", test.text, err, want)
		}
	}
}

func TestFileThatIsNoFileIsAnError(t *testing.T) {
	for _, kind := range []string{"project", "user", "machine"} {
		s := newSite(t)
		s.mkdir(s.files[kind])
		_, err := find(t)
		if want := s.files[kind] + ": it is not a regular file"; err == nil || err.Error() != want || !errors.Is(err, ErrConfig) {
			t.Errorf("a folder: %v, want an ErrConfig %q", err, want)
		}
	}
	s := newSite(t)
	s.write(s.files["project"], strings.Repeat("#", maxFileBytes+1))
	if _, err := find(t); err == nil || !strings.HasSuffix(err.Error(), ".treelock.toml: it has more than 1048576 bytes") {
		t.Errorf("a large file: %v", err)
	}
}

func TestNamesInAFileAreRelativeToItsFolder(t *testing.T) {
	s := newSite(t)
	dir := filepath.Dir(s.files["user"])
	s.mkdir(filepath.Join(dir, "tree"))
	s.write(s.files["user"], "endpoints = [\"http://a:1\"]\nroot = \"tree\"\ncacert = \"ca.pem\"\nkey = \"/k\"\n")
	got, err := find(t)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "tree"); got.Root != want {
		t.Errorf("root = %s, want %s", got.Root, want)
	}
	if want := (tlsFiles{ca: filepath.Join(dir, "ca.pem"), key: "/k"}); got.tls != want {
		t.Errorf("files = %v, want %v", got.tls, want)
	}
}

// A cloned repository could name a server that keeps what it is sent.
func TestProjectsEndpointsGetNoPassword(t *testing.T) {
	s := newSite(t)
	name := s.write(s.files["project"], "endpoints = [\"http://evil:1\"]\nprefix = \"/p\"\n")
	t.Setenv("ETCDCTL_USER", "ann:secret")
	_, err := find(t)
	if want := name + ": its endpoints get no password: set them by --etcd or ETCDCTL_ENDPOINTS"; err == nil || err.Error() != want {
		t.Errorf("find: %v, want %s", err, want)
	}
	t.Setenv("ETCDCTL_ENDPOINTS", "http://good:1")
	got, err := find(t)
	if err != nil || got.Prefix != "/p" || got.config.Password != "secret" {
		t.Errorf("with endpoints from elsewhere: %v", err)
	}
}

func TestUserAndPasswordAreThoseOfEtcdctl(t *testing.T) {
	for _, test := range []struct{ user, password, wantUser, wantPassword, err string }{
		{"", "", "", "", ""},
		{"ann", "x:y", "ann", "x:y", ""},
		{"ann:x:y", "", "ann", "x:y", ""},
		{"ann:x", "y", "ann:x", "y", ""},
		{"ann", "", "", "", `there is no password for the user "ann" of etcd: set ETCDCTL_PASSWORD`},
		{"", "x", "", "", "there is a password for etcd, and no user: set ETCDCTL_USER"},
	} {
		newSite(t)
		t.Setenv("ETCDCTL_USER", test.user)
		t.Setenv("ETCDCTL_PASSWORD", test.password)
		s, err := find(t, "--etcd="+endpoint)
		if test.err != "" {
			if err == nil || err.Error() != test.err || !errors.Is(err, ErrConfig) {
				t.Errorf("%q, %q: %v, want %s", test.user, test.password, err, test.err)
			}
			continue
		}
		if err != nil || s.config.Username != test.wantUser || s.config.Password != test.wantPassword {
			t.Errorf("%q, %q: %v, want %q, %q", test.user, test.password, err, test.wantUser, test.wantPassword)
			continue
		}
		for _, source := range s.Sources {
			if text := source.String(); strings.Contains(text, ":x") || strings.HasPrefix(text, "password x") {
				t.Errorf("a source shows the password: %s", text)
			}
		}
	}
}

func TestSourcesAreInOneOrder(t *testing.T) {
	newSite(t)
	t.Setenv("ETCDCTL_USER", "ann:secret")
	s, err := find(t, "--etcd="+endpoint, "--ttl=3s", "--name=a\nb", "--root=/")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, source := range s.Sources {
		lines = append(lines, source.String())
	}
	root, _ := filepath.Abs("/")
	want := `endpoints http://127.0.0.1:2379 (--etcd)
prefix /treelock (default)
root / (--root)
raw false (default)
name a\nb (--name)
ttl 3s (--ttl)
connect-timeout 5s (default)
user ann (ETCDCTL_USER)`
	if got := strings.Join(lines, "\n"); got != want || s.Root != root {
		t.Errorf("sources:\n%s\nwant:\n%s", got, want)
	}
}

func TestUserWithoutAHomeHasNoFile(t *testing.T) {
	s := newSite(t)
	for _, v := range []string{"XDG_CONFIG_HOME", "HOME", "AppData"} {
		os.Unsetenv(v)
	}
	if _, err := find(t, "--etcd="+endpoint); err != nil {
		s.Error(err)
	}
}
