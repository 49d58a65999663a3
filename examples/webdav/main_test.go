package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// deadline is for a program that hangs.
const deadline = 30 * time.Second

// start runs the server as main does, and returns its URL. It ends with the test, without an error.
// What it has told is shown if the test fails.
func start(t *testing.T, args ...string) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	told, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"-addr", "127.0.0.1:0", "-quiet"}, args...), in, told)
		in.CloseWithError(err)
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the server ended: %v", err)
		}
		told.Close()
		if text, err := os.ReadFile(told.Name()); t.Failed() {
			t.Logf("the server has told: %s, %v", text, err)
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), " at http"); ok && strings.HasPrefix(lines.Text(), "serving") {
			go io.Copy(io.Discard, out)
			return "http" + url
		}
	}
	t.Fatalf("the server did not start: %v", lines.Err())
	return ""
}

// program returns the path of a program of a Debian package, or skips the test. With
// TREELOCK_WEBDAV=require it fails instead.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("TREELOCK_WEBDAV") == "require":
		t.Fatalf("%s is missing (Debian package %s), and TREELOCK_WEBDAV=require", name, name)
	default:
		t.Skipf("%s is missing: apt-get install %s", name, name)
	}
	return ""
}

// output runs a program with input in a new folder, and returns all that it prints.
func output(t *testing.T, input, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(t, name), args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+cmd.Dir)
	cmd.Stdin = strings.NewReader(input)
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, text)
	}
	return string(text)
}

var summary = regexp.MustCompile("<- summary for `(.*)': of (\\d+) tests run: (\\d+) passed, 0 failed")

// All suites of litmus pass, with nothing failed, skipped or warned of.
func TestLitmus(t *testing.T) {
	program(t, "litmus")
	litmus(t, start(t, "-dir", t.TempDir()))
}

// litmus runs the suites.
func litmus(t *testing.T, url string) {
	t.Helper()
	text := output(t, "", "litmus", "-k", url)
	passed := summary.FindAllStringSubmatch(text, -1)
	if len(passed) != 5 {
		t.Errorf("%d suites passed, want 5", len(passed))
	}
	for _, s := range passed {
		if s[2] != s[3] {
			t.Errorf("%s", s[0])
		}
		t.Log(s[0])
	}
	if strings.Contains(text, "WARNING") || strings.Contains(text, "SKIPPED") || strings.Contains(text, "FAIL") || t.Failed() {
		t.Errorf("litmus says:\n%s", text)
	}
}

func TestCadaver(t *testing.T) {
	program(t, "cadaver")
	dir := t.TempDir()
	url := start(t, "-dir", dir)
	local := filepath.Join(t.TempDir(), "local.txt")
	if err := os.WriteFile(local, []byte("by cadaver\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	text := output(t, strings.Join([]string{
		"mkcol folder", "put " + local + " folder/a.txt", "lock folder/a.txt", "discover folder/a.txt", "put " + local + " folder/a.txt",
		"unlock folder/a.txt", "copy folder/a.txt folder/b.txt", "move folder/b.txt c.txt", "propset c.txt color green", "propget c.txt color",
		"ls folder", "cat c.txt", "delete folder/a.txt", "quit", "",
	}, "\n"), "cadaver", url)
	for _, want := range []string{"Locking", "by cadaver", "green", "a.txt"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(text, "failed") || strings.Contains(text, "error") || t.Failed() {
		t.Errorf("cadaver says:\n%s", text)
	}
	hasFile(t, filepath.Join(dir, "c.txt"), "by cadaver\n")
}

func TestRclone(t *testing.T) {
	program(t, "rclone")
	url := start(t, "-dir", t.TempDir())
	src, back := t.TempDir(), t.TempDir()
	for _, name := range []string{"a.txt", "sub/b c.txt", "sub/deep/ü&%.txt"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(src, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(src, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	at := "--webdav-url=" + url
	output(t, "", "rclone", "sync", src, ":webdav:tree", at)
	output(t, "", "rclone", "check", src, ":webdav:tree", at, "--download")
	output(t, "", "rclone", "moveto", ":webdav:tree/sub", ":webdav:moved", at)
	output(t, "", "rclone", "copy", ":webdav:moved", back, at)
	hasFile(t, filepath.Join(back, "deep/ü&%.txt"), "sub/deep/ü&%.txt")
	output(t, "", "rclone", "purge", ":webdav:moved", at)
	if got := output(t, "", "rclone", "lsf", "-q", "-R", ":webdav:", at); got != "tree/\ntree/a.txt\n" {
		t.Errorf("lsf = %q", got)
	}
}

func TestCurlWithUsers(t *testing.T) {
	program(t, "curl")
	hash, err := hashPassword("secret", 1000)
	if err != nil {
		t.Fatal(err)
	}
	users := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(users, []byte("# all\nann:"+hash+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	url := start(t, "-dir", dir, "-users", users)
	status := func(args ...string) string {
		return output(t, "by curl", "curl", append([]string{"-s", "-o", "answer", "-w", "%{http_code}"}, args...)...)
	}
	for _, test := range []struct{ want, user string }{{"401", ":"}, {"401", "ann:wrong"}, {"401", "bob:secret"}, {"201", "ann:secret"}, {"204", "ann:secret"}, {"401", "ann:wrong"}} {
		if got := status("-u", test.user, "-T", "-", url+"f"); got != test.want {
			t.Errorf("PUT by %q = %s, want %s", test.user, got, test.want)
		}
	}
	hasFile(t, filepath.Join(dir, "f"), "by curl")
	if got := status("-u", "ann:secret", "--path-as-is", url+"../../etc/passwd"); got != "400" {
		t.Errorf("GET of ../ = %s", got)
	}
}

// A request that is under way when the server is told to end gets its answer.
func TestShutdownFinishesRequests(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"-addr", "127.0.0.1:0", "-dir", dir}, in, io.Discard) }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, out)
	url := strings.TrimSpace(line[strings.LastIndex(line, " "):])
	body, send := io.Pipe()
	answered := make(chan error, 1)
	r, _ := http.NewRequest("PUT", url+"f", body)
	go func() {
		w, err := http.DefaultClient.Do(r)
		if err == nil {
			w.Body.Close()
		}
		answered <- err
	}()
	if _, err := io.WriteString(send, "first "); err != nil {
		t.Fatal(err)
	}
	waitForUpload(t, dir)
	stop()
	io.WriteString(send, "second")
	send.Close()
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	hasFile(t, filepath.Join(dir, "f"), "first second")
}

// waitForUpload returns when a file is being uploaded.
func waitForUpload(t *testing.T, dir string) {
	for end := time.Now().Add(deadline); ; time.Sleep(5 * time.Millisecond) {
		if names, _ := filepath.Glob(filepath.Join(dir, ".DAV/uploads/*")); len(names) > 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatal("no upload has begun")
		}
	}
}

func TestWithoutArgumentsItServesASample(t *testing.T) {
	url := start(t)
	w, err := http.Get(url + "welcome.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	if text, _ := io.ReadAll(w.Body); w.StatusCode != 200 || !strings.Contains(string(text), "gone when the server ends") {
		t.Errorf("GET welcome.txt = %d %s", w.StatusCode, text)
	}
}

func hasFile(t *testing.T, name, want string) {
	t.Helper()
	if text, err := os.ReadFile(name); err != nil || string(text) != want {
		t.Errorf("%s = %q, %v, want %q", name, text, err, want)
	}
}
