package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treelock/treelock"
)

// A repo is a git repository in which guard is run.
type repo struct {
	t   *testing.T
	dir string
}

func newRepo(t *testing.T) repo {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := repo{t, dir}
	r.git("init", "-q")
	return r
}

func (r repo) git(args ...string) {
	r.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
	cmd.Dir = r.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("git %v: %v: %s", args, err, out)
	}
}

func (r repo) write(names ...string) {
	r.t.Helper()
	for _, name := range names {
		name = filepath.Join(r.dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			r.t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("text"), 0o666); err != nil {
			r.t.Fatal(err)
		}
	}
}

// guard runs guard in the repository as a holder, with an input.
func (r repo) guard(input, holder string, args ...string) outcome {
	r.t.Helper()
	cmd := command(r.t, append([]string{"guard", "--root", r.dir}, args...)...)
	cmd.Dir = r.dir
	cmd.Stdin = strings.NewReader(input)
	if holder != "" {
		cmd.Env = append(cmd.Env, "TREELOCK_NAME="+holder)
	}
	return finish(r.t, cmd)
}

func TestGuardWantsWriteClaimsThatCoverThePaths(t *testing.T) {
	r := newRepo(t)
	r.write("src/a.go", "src/b.go", "docs/x.md")
	a, b := process(t, "alice"), process(t, "bob")
	acquire(t, a, treelock.Write("/src").WriteNode("/docs/x.md").Read("/docs/y.md").Labeled("rename"))
	acquire(t, b, treelock.Write("/lib"))

	r.guard("", "alice", "src/a.go", "src", "src/new/file", "docs/x.md").want(t, 0)
	r.guard("", "alice", "src/*.go").want(t, 0)
	r.guard("", "alice", "docs").want(t, 1, "alice does not hold docs for writing, and no other request does")
	r.guard("", "alice", "docs/x.md/").want(t, 1)
	r.guard("", "alice", "docs/y.md").want(t, 1)
	r.guard("", "alice", "src/a.go", "lib/a", "z").want(t, 1, "lib/a", "bob (token ", "; nor 1 more")
	r.guard("", "bob", "src/a.go").want(t, 1, `bob does not hold src/a.go for writing, and alice (token `, `"rename", write /src, write-node /docs/x.md, read /docs/y.md, holding for `)
	r.guard("", "bob", "--holder", "alice", "src/a.go").want(t, 0)
	r.guard("", "", "src/a.go").want(t, 1, ":"+r.dir)
	r.guard("", "bob", "--json", "src/a.go").want(t, 1, `{"ok":false,"missing":[{"path":"src/a.go","claim":{"access":"write","scope":"node","path":"/src/a.go"},"held_by":[{"token":`)
	r.guard("", "alice", "--json", "src/a.go").want(t, 0, `{"ok":true,"missing":[]}`)
	r.guard("", "alice").want(t, 64)
	r.guard("", "alice", "--stdin", "src").want(t, 64)
	r.guard("", "alice", "--hook", "vi").want(t, 2, "vi")
	r.guard("", "alice", "--nothing", "--hook", "claude").want(t, 2, "--nothing")
	r.guard("", "alice", "--hook=claude", "--ttl", "1s").want(t, 2, "--ttl")
	r.guard("", "alice", "/etc/passwd").want(t, 64, "/etc/passwd")
}

func TestGuardDoesNotCountWhatWaits(t *testing.T) {
	a, b := process(t, "alice"), process(t, "bob")
	acquire(t, a, treelock.Read("/src"))
	waiter(t, b, treelock.Write("/src/a"))
	run(t, "guard", "--raw", "--holder", "bob", "/src/a").want(t, 1, "alice (token ")
	run(t, "guard", "--raw", "--holder", "alice", "/src/a").want(t, 1)
}

func TestGuardKnowsTheCommandOfRunByItsToken(t *testing.T) {
	a := process(t, "alice:1")
	g := acquire(t, a, treelock.Write("/src"))
	for token, status := range map[string]int{tokenOf(g): 0, "12345": 1, "junk": 64, "": 1} {
		cmd := command(t, "guard", "--raw", "/src/a")
		cmd.Env = append(cmd.Env, "TREELOCK_TOKEN="+token)
		finish(t, cmd).want(t, status)
	}
}

func TestGuardReadsStagedFiles(t *testing.T) {
	r := newRepo(t)
	a := process(t, "alice")
	acquire(t, a, treelock.Write("/src"))
	r.guard("", "alice", "--git-staged").want(t, 0)
	r.write("src/a.go", "src/with space\nand line", "lib/old.go")
	r.git("add", "src")
	r.guard("", "alice", "--git-staged").want(t, 0)
	r.git("add", "lib")
	r.guard("", "alice", "--git-staged").want(t, 1, "lib/old.go")
	r.git("commit", "-qm", "begin")
	r.guard("", "alice", "--git-staged").want(t, 0)
	r.git("mv", "lib/old.go", "src/old.go")
	r.guard("", "alice", "--git-staged").want(t, 1, "lib/old.go")

	cmd := command(t, "guard", "--root", r.dir, "--git-staged") // from a folder of the worktree
	cmd.Dir = filepath.Join(r.dir, "src")
	cmd.Env = append(cmd.Env, "TREELOCK_NAME=alice")
	finish(t, cmd).want(t, 1, "lib/old.go")
	r.git("config", "diff.relative", "true") // git then leaves out what is not below the folder
	cmd = command(t, "guard", "--root", r.dir, "--git-staged")
	cmd.Dir = filepath.Join(r.dir, "src")
	cmd.Env = append(cmd.Env, "TREELOCK_NAME=alice")
	finish(t, cmd).want(t, 1, "lib/old.go")
	cmd = command(t, "guard", "--git-staged")
	cmd.Dir = t.TempDir()
	cmd.Env = append(cmd.Env, "GIT_CEILING_DIRECTORIES="+filepath.Dir(cmd.Dir))
	finish(t, cmd).want(t, 64, "git rev-parse")
}

func TestGuardStopsACommitInAHook(t *testing.T) {
	r := newRepo(t)
	a := process(t, "alice")
	g := acquire(t, a, treelock.Write("/src"))
	guard := command(t, "guard", "--git-staged", "--root", r.dir)
	hook := "#!/bin/sh\nexec '" + strings.Join(guard.Args, "' '") + "'\n"
	if err := os.WriteFile(filepath.Join(r.dir, ".git/hooks/pre-commit"), []byte(hook), 0o777); err != nil {
		t.Fatal(err)
	}
	r.write("src/a.go")
	r.git("add", "src")
	commit := func() error {
		cmd := exec.Command("git", "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "change")
		cmd.Dir = r.dir
		cmd.Env = append(guard.Env, "TREELOCK_TOKEN="+tokenOf(g))
		return cmd.Run()
	}
	if err := commit(); err != nil {
		t.Errorf("a commit of what is held: %v", err)
	}
	r.write("lib/b.go")
	r.git("add", "lib")
	if err := commit(); err == nil {
		t.Error("a commit of what is not held went through")
	}
}

func TestGuardReadsNames(t *testing.T) {
	a := process(t, "alice")
	acquire(t, a, treelock.Write("/src"))
	r := newRepo(t)
	r.guard("src/a\nsrc/b\r\n\n", "alice", "--stdin").want(t, 0)
	r.guard("src/a\x00src/b\nlib/c\x00", "alice", "--stdin").want(t, 0)
	r.guard("src/a\nlib/c", "alice", "--stdin").want(t, 1, "lib/c")
	r.guard("src/[a]*?\nsrc/"+`\[b\]`+"\n", "alice", "--stdin").want(t, 0)
	r.guard("src/"+strings.Repeat("a/", 1<<20), "alice", "--stdin").want(t, 64, "bytes")
	r.guard("", "alice", "--stdin").want(t, 0)
}

func TestGuardAnswersTheHookOfAnAgent(t *testing.T) {
	a := process(t, "alice")
	acquire(t, a, treelock.Write("/src"))
	r := newRepo(t)
	hook := func(path string) string {
		return `{"session_id":"1","cwd":"` + r.dir + `","hook_event_name":"PreToolUse","tool_name":"Write","tool_input":{"file_path":"` + path + `","content":"x"}}`
	}
	r.guard(hook(r.dir+"/src/a.go"), "alice", "--hook", "claude").want(t, 0)
	r.guard(hook("src/a.go"), "alice", "--hook", "claude").want(t, 0)
	r.guard(hook(r.dir+"/lib/a.go"), "alice", "--hook", "claude").want(t, 2, "lib/a.go")
	r.guard(hook("lib/a.go"), "alice", "--hook", "claude").want(t, 2, "lib/a.go")
	r.guard(hook(r.dir+"/src/a.go"), "bob", "--hook", "claude").want(t, 2, "alice (token")
	r.guard(hook("/somewhere/else"), "bob", "--hook", "claude").want(t, 0)
	r.guard(hook(r.dir+"/../elsewhere"), "bob", "--hook", "claude").want(t, 0)
	r.guard(`{"tool_input":{"notebook_path":"`+r.dir+`/lib/n.ipynb"}}`, "alice", "--hook", "claude").want(t, 2)
	r.guard(`{"tool_name":"Bash","tool_input":{"command":"ls"}}`, "alice", "--hook", "claude").want(t, 0)
	for _, bad := range []string{"", "{", `[]`, `{"tool_input":{"file_path":7}}`, `null x`} {
		r.guard(bad, "alice", "--hook", "claude").want(t, 2, "hook")
	}
	// A link in the root leads out of it, and one from outside leads in.
	if err := os.Symlink(t.TempDir(), filepath.Join(r.dir, "out")); err != nil {
		t.Fatal(err)
	}
	r.guard(hook("out/a"), "alice", "--hook", "claude").want(t, 2)
}
