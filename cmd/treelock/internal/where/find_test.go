package where

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// A site has an empty value of each place that settings come from.
type site struct {
	*testing.T
	root, config string // folders
	files        map[string]string
}

// newSite makes a site, and works in a git repository of it.
func newSite(t *testing.T) *site {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t, filepath.Join(dir, "repo"), filepath.Join(dir, "config"), nil}
	for _, v := range []string{"XDG_CONFIG_HOME", "HOME", "AppData", "LocalAppData", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME"} {
		t.Setenv(v, s.config)
	}
	t.Setenv(handedOn, "")
	for _, set := range table {
		if set.env != "" {
			t.Setenv(set.env, "")
		}
	}
	s.files = map[string]string{"project": filepath.Join(s.root, projectFile), "machine": filepath.Join(dir, "etc", "config.toml")}
	user, err := os.UserConfigDir()
	if err != nil {
		t.Fatal(err)
	}
	s.files["user"] = filepath.Join(user, "treelock", "config.toml")
	before := machineFile
	machineFile = s.files["machine"]
	t.Cleanup(func() { machineFile = before })
	s.mkdir(filepath.Join(s.root, ".git"))
	s.mkdir(filepath.Join(s.root, "src"))
	t.Chdir(filepath.Join(s.root, "src"))
	return s
}

func (s *site) mkdir(name string) {
	s.Helper()
	if err := os.MkdirAll(name, 0o700); err != nil {
		s.Fatal(err)
	}
}

// write writes a file, and returns its name.
func (s *site) write(name, text string) string {
	s.Helper()
	s.mkdir(filepath.Dir(name))
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	return name
}

// find finds the settings of a command line.
func find(t *testing.T, args ...string) (*Settings, error) {
	t.Helper()
	var f Flags
	set := pflag.NewFlagSet("treelock", pflag.ContinueOnError)
	f.Add(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f.Find()
}

const endpoint = "http://127.0.0.1:2379"

// Each setting is set everywhere, and then taken away place by place, the first first.
func TestTheFirstPlaceThatHasASettingCounts(t *testing.T) {
	for _, test := range []struct {
		key           string
		flag, env     string // "" if the setting has none
		files         map[string]string
		value         func(*Settings) any
		standard      any
		standardPlace string
	}{
		{"prefix", "/flag/", "/env", map[string]string{"project": `"/project"`, "user": `"/user"`, "machine": `"/machine"`},
			func(s *Settings) any { return s.Prefix }, "/treelock", "default"},
		{"endpoints", "flag:1,x:1", "env:1, y:1", map[string]string{"project": `["project:1"]`, "user": `["user:1","z:1"]`, "machine": `["machine:1"]`},
			func(s *Settings) any { return strings.Join(s.Endpoints, " ") }, nil, ""},
		{"ttl", "3s", "4s", map[string]string{"project": `"5s"`, "user": `"6s"`, "machine": `"7s"`},
			func(s *Settings) any { return s.TTL }, 10 * time.Second, "default"},
		{"connect-timeout", "3s", "4s", map[string]string{"project": `"5s"`, "user": `"6s"`, "machine": `"7s"`},
			func(s *Settings) any { return s.Connect }, 5 * time.Second, "default"},
		{"raw", "true", "", map[string]string{"project": `true`, "user": `true`, "machine": `true`},
			func(s *Settings) any { return s.Raw }, false, "default"},
		{"name", "flag", "env", map[string]string{"user": `"user"`, "machine": `"machine"`},
			func(s *Settings) any { return s.Name }, defaultName(), "default"},
		{"root", "..", "/", map[string]string{"user": `"/"`, "machine": `"."`},
			func(s *Settings) any { return s.Root }, nil, "git repository"},
	} {
		t.Run(test.key, func(t *testing.T) {
			s := newSite(t)
			set, _ := settingOf(test.key)
			var args, places []string
			if test.flag != "" {
				args, places = []string{"--" + set.flag + "=" + test.flag}, append(places, "--"+set.flag)
			}
			if test.env != "" {
				t.Setenv(set.env, test.env)
				places = append(places, set.env)
			}
			for _, file := range []string{"project", "user", "machine"} {
				if text, ok := test.files[file]; ok {
					places = append(places, s.write(s.files[file], test.key+" = "+text+"\n"))
				}
			}
			others := []string{"--etcd=" + endpoint}
			if test.key == "endpoints" {
				others = nil
			}
			want := map[string]any{
				"--prefix": "/flag", "--etcd": "flag:1 x:1", "ETCDCTL_ENDPOINTS": "env:1 y:1", s.files["machine"]: "",
			}
			for _, place := range places {
				got, err := find(t, append(args, others...)...)
				if err != nil {
					t.Fatalf("%s: %v", place, err)
				}
				if from := got.placeOf(test.key); from != place {
					t.Errorf("%s comes from %s, want %s", test.key, from, place)
				}
				text := fmt.Sprint(test.value(got))
				if w, ok := want[place]; ok && w != "" && text != w {
					t.Errorf("%s of %s = %s, want %s", test.key, place, text, w)
				}
				for name, file := range s.files {
					if place == file && test.key != "raw" && test.key != "root" && !strings.Contains(test.files[name], strings.Fields(text)[0]) {
						t.Errorf("%s of %s = %s, want %s", test.key, place, text, test.files[name])
					}
				}
				switch {
				case strings.HasPrefix(place, "--"):
					args = nil
				case place == set.env:
					t.Setenv(set.env, "")
				default:
					os.Remove(place)
				}
			}
			got, err := find(t, others...)
			if test.key == "endpoints" {
				if !errors.Is(err, ErrNoServer) || !errors.Is(err, ErrConfig) {
					t.Errorf("without endpoints: %v, want %v", err, ErrNoServer)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if from := got.placeOf(test.key); from != test.standardPlace {
				t.Errorf("%s comes from %s, want %s", test.key, from, test.standardPlace)
			}
			if value := test.value(got); test.standard != nil && value != test.standard {
				t.Errorf("%s = %v, want %v", test.key, value, test.standard)
			}
		})
	}
}

func TestWrongSettingIsAnErrorThatNamesItsPlace(t *testing.T) {
	for _, test := range []struct{ key, value, want string }{
		{"prefix", "/", "it is empty, and one prefix is one tree"},
		{"prefix", strings.Repeat("x", 1025), "it has 1025 bytes, and at most 1024 are allowed"},
		{"ttl", "1s", "it must be from 2s to 1m0s"},
		{"ttl", "61s", "it must be from 2s to 1m0s"},
		{"connect-timeout", "0s", "it must be more than 0"},
		{"connect-timeout", "-1s", "it must be more than 0"},
		{"root", "no/such", "no such file or directory"},
		{"root", "file", "it is not a folder"},
		{"endpoints", "a:1,,b:1", "an endpoint is empty"},
		{"endpoints", "localhost", "the endpoint localhost has no port"},
		{"endpoints", "localhost:", "the endpoint localhost: has no port"},
		{"endpoints", "http://localhost", "the endpoint http://localhost has no port"},
		{"endpoints", "ftp://localhost:1", "the endpoint ftp://localhost:1 must begin with http, https, unix or unixs"},
		{"endpoints", "http://a b:1", `the endpoint "http://a b:1" is not a URL`},
		{"endpoints", "http://u:p@a:1", "the endpoint at a:1 has more than a host and a port"},
		{"endpoints", "http://a:1/v3", "the endpoint at a:1 has more than a host and a port"},
		{"endpoints", "unix://", "the endpoint unix:// has no name of a socket"},
		{"endpoints", "unix:///", "the endpoint unix:/// has no name of a socket"},
		{"endpoints", "http://a:1,https://b:1", "of the endpoints http://a:1 and https://b:1 only one uses TLS"},
		{"endpoints", "a:1,unixs:///x", "of the endpoints a:1 and unixs:///x only one uses TLS"},
	} {
		s := newSite(t)
		s.write(filepath.Join(s.root, "src", "file"), "")
		set, _ := settingOf(test.key)
		if runtime.GOOS == "windows" && test.value == "no/such" {
			continue
		}
		args := []string{"--" + set.flag + "=" + test.value}
		if test.key != "endpoints" {
			args = append(args, "--etcd="+endpoint)
		}
		mixed := strings.HasPrefix(test.want, "of the endpoints")
		_, err := find(t, args...)
		if err == nil || !strings.HasSuffix(err.Error(), test.want) || errors.Is(err, ErrUsage) == mixed {
			t.Errorf("%v: %v, want an ErrUsage %q", args, err, test.want)
		}
		if err != nil && !mixed && !strings.HasPrefix(err.Error(), "--"+set.flag+": "+test.key) {
			t.Errorf("%v: %v does not name the flag", args, err)
		}
		t.Setenv(set.env, test.value)
		_, err = find(t, args[1:]...)
		if err == nil || !strings.HasSuffix(err.Error(), test.want) || !errors.Is(err, ErrConfig) {
			t.Errorf("%s=%s: %v, want an ErrConfig %q", set.env, test.value, err, test.want)
		}
	}
	s := newSite(t)
	for _, test := range []struct{ variable, value, want string }{
		{"TREELOCK_TTL", "10", `TREELOCK_TTL: ttl 10: it is not a duration, such as "10s"`},
		{"ETCDCTL_INSECURE_SKIP_TLS_VERIFY", "maybe", "ETCDCTL_INSECURE_SKIP_TLS_VERIFY: insecure-skip-tls-verify maybe: it is neither true nor false"},
	} {
		t.Setenv(test.variable, test.value)
		if _, err := find(s.T, "--etcd="+endpoint); err == nil || err.Error() != test.want {
			t.Errorf("%s=%s: %v, want %s", test.variable, test.value, err, test.want)
		}
		t.Setenv(test.variable, "")
	}
	if _, err := find(t, "--etcd="+endpoint, "--name="); !errors.Is(err, ErrUsage) {
		t.Errorf("--name= : %v, want an ErrUsage", err)
	}
	if _, err := find(t, "--etcd="); !errors.Is(err, ErrUsage) {
		t.Errorf("--etcd= : %v, want an ErrUsage", err)
	}
}

func TestEndpointsThatAreRight(t *testing.T) {
	newSite(t)
	for _, endpoints := range []string{
		"a:1", "http://a:1,http://[::1]:2/", "https://a:1,unixs:///x", "unix:///x,http://a:1,b:2", "unix:x", "unix:///x/y z.sock",
	} {
		s, err := find(t, "--etcd="+endpoints)
		if err != nil || s.Etcd() != endpoints || s.Dev {
			t.Errorf("--etcd=%s: %v", endpoints, err)
		}
	}
}

func TestRootIsTheTopFolderOfTheRepository(t *testing.T) {
	s := newSite(t)
	got := func() string {
		settings, err := find(t, "--etcd="+endpoint)
		if err != nil {
			t.Fatal(err)
		}
		return settings.Root + " " + settings.placeOf("root")
	}
	want := func(root, place string) {
		t.Helper()
		if got := got(); got != root+" "+place {
			t.Errorf("root = %s, want %s %s", got, root, place)
		}
	}
	want(s.root, "git repository")
	outside := filepath.Join(s.config, "x")
	s.mkdir(outside)
	if err := os.Symlink(filepath.Join(s.root, "src"), filepath.Join(outside, "link")); err == nil {
		t.Chdir(filepath.Join(outside, "link"))
		want(s.root, "git repository")
	}
	t.Chdir(outside)
	want(outside, "working directory")
	s.write(filepath.Join(s.root, "worktree", ".git"), "gitdir: elsewhere")
	t.Chdir(filepath.Join(s.root, "worktree"))
	want(filepath.Join(s.root, "worktree"), "git repository")
}
