//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Ten shell scripts, and nothing else that keeps them apart: each reads a count, waits, and writes
// one more, in a folder or in a folder and one inside it. A count that is too small was torn.
func TestScriptsShareTheServerOfDev(t *testing.T) {
	h := newHome(t)
	h.dev()
	bin, folder := filepath.Join(h.dir, "bin"), filepath.Join(h.dir, "shared", "inside")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{bin, folder} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(exe, filepath.Join(bin, "treelock")); err != nil {
		t.Fatal(err)
	}
	const count = `count() { n=$(cat "$1" 2>/dev/null || echo 0); sleep 0.02; echo $((n + 1)) > "$1"; }; `
	script := func(lock, work string) *exec.Cmd {
		cmd := exec.Command("sh", "-c", `treelock run -w `+lock+` -- sh -c '`+count+work+`'`)
		cmd.Dir, cmd.Env = h.dir, append(h.env, "PATH="+bin+":"+os.Getenv("PATH"))
		return cmd
	}
	var wait sync.WaitGroup
	for range 5 {
		for _, cmd := range []*exec.Cmd{
			script("shared/inside", "count shared/inside/n"), script("shared", "count shared/n; count shared/inside/n"),
		} {
			wait.Go(func() {
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("a script ends with %v: %s", err, out)
				}
			})
		}
	}
	wait.Wait()
	for name, want := range map[string]string{"shared/n": "5", "shared/inside/n": "10"} {
		if got, err := os.ReadFile(filepath.Join(h.dir, name)); strings.TrimSpace(string(got)) != want {
			t.Errorf("%s counts %q (%v), want %s", name, got, err, want)
		}
	}
}
