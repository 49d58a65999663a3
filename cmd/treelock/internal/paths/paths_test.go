package paths

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/treelock/treelock"
)

// repository makes a root folder, with files of strange names, and works in its folder src.
func repository(t *testing.T) (root string) {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"src/api", "src/[id]", "docs"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Join(root, "src"))
	return root
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Skip(err) // Windows permits it to few users
	}
}

func TestPathOfAnArgument(t *testing.T) {
	root := repository(t)
	for _, test := range []struct{ arg, want string }{
		{".", "/src"},
		{"..", "/"},
		{"api", "/src/api"},
		{"api/", "/src/api"},
		{"./api/../new/file", "/src/new/file"},
		{"../docs", "/docs"},
		{root, "/"},
		{root + "/docs/a b", "/docs/a b"},
		{"...", "/src/..."},
		{"..a", "/src/..a"},

		{"*", "/src"},
		{"*/api", "/src"},
		{"api/*.go", "/src/api"},
		{"api/**/x", "/src/api"},
		{"api/v?/x", "/src/api"},
		{"api/[ab]", "/src/api"},
		{"api/[", "/src/api"},
		{"../*", "/"},
		{"api/*/../x", "/src/api/x"},
		{root + "/docs/*", "/docs"},
		{"new/*/x/*", "/src/new"},

		{"[id]", "/src/[id]"},         // exists
		{"[id]/new", "/src/[id]/new"}, // its folder does
		{"[id]/*", "/src/[id]"},
		{"[no]/new", "/src"},
	} {
		got, err := Parser{Root: root}.Path(test.arg)
		if err != nil || string(got) != test.want {
			t.Errorf("Path(%q) = %q, %v, want %q", test.arg, got, err, test.want)
		}
	}
}

func TestRootMayBeTheTop(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a drive has no path of its own")
	}
	for arg, want := range map[string]string{"/no/such/file": "/no/such/file", "/": "/", "/*": "/"} {
		if got, err := (Parser{Root: "/"}).Path(arg); err != nil || string(got) != want {
			t.Errorf("Path(%q) = %q, %v, want %q", arg, got, err, want)
		}
	}
}

func TestBackslashTakesTheMeaningAway(t *testing.T) {
	if !escapes {
		t.Skip("a backslash separates names")
	}
	root := repository(t)
	if err := os.WriteFile(`\?`, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ arg, want string }{
		{`\*`, "/src/*"},
		{`api/\[x\]/y`, "/src/api/[x]/y"},
		{`\*a*`, "/src"}, // one of them keeps its meaning
		{`\\*`, "/src"},
		{`a\b\*`, `/src/a\b*`},
		{`a\b`, `/src/a\b`}, // there is no meaning to take away
		{`\?`, `/src/\?`},   // exists as written
	} {
		got, err := Parser{Root: root}.Path(test.arg)
		if err != nil || string(got) != test.want {
			t.Errorf("Path(%q) = %q, %v, want %q", test.arg, got, err, test.want)
		}
	}
}

func TestArgumentOutsideTheRootIsAnErrorThatNamesBoth(t *testing.T) {
	root := repository(t)
	for _, arg := range []string{"../..", "../../x", "../../*", "/", "/*", filepath.Dir(root), root + "x", root + "/../x"} {
		got, err := Parser{Root: root}.Path(arg)
		if want := arg + " is not in the root folder " + root; err == nil || err.Error() != want {
			t.Errorf("Path(%q) = %q, %v, want the error %q", arg, got, err, want)
		}
	}
	for arg, want := range map[string]string{"": "the name of a file is empty", "a\x00b": "NUL"} {
		if got, err := (Parser{Root: root}).Path(arg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Path(%q) = %q, %v, want an error with %q", arg, got, err, want)
		}
	}
	gone := filepath.Join(root, "gone")
	if got, err := (Parser{Root: gone}).Path("x"); err == nil || !strings.Contains(err.Error(), "the root folder "+gone) {
		t.Errorf("Path below a root that does not exist = %q, %v", got, err)
	}
}

func TestRootMayBeReachedByALink(t *testing.T) {
	root := repository(t)
	outside, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	toRoot, toSrc := filepath.Join(outside, "root"), filepath.Join(outside, "src")
	link(t, root, toRoot)
	link(t, filepath.Join(root, "src"), toSrc)
	link(t, filepath.Join(root, "docs"), filepath.Join(root, "inside"))
	for _, dir := range []string{root, toRoot} {
		for _, wd := range []string{filepath.Join(root, "src"), filepath.Join(toRoot, "src"), toSrc} {
			t.Chdir(wd)
			for arg, want := range map[string]string{
				"api":               "/src/api",
				"..":                "/",
				"../docs/new/x":     "/docs/new/x",
				root + "/docs":      "/docs",
				toRoot + "/docs":    "/docs",
				toRoot:              "/",
				toSrc + "/api/new":  "/src/api/new",
				toSrc + "/a*":       "/src",
				"../inside/x":       "/inside/x",
				toRoot + "/inside":  "/inside",
				toSrc + "/../x":     "",
				outside + "/root/*": "/",
			} {
				got, err := Parser{Root: dir}.Path(arg)
				if string(got) != want || (err == nil) != (want != "") {
					t.Errorf("root %s, in %s: Path(%q) = %q, %v, want %q", dir, wd, arg, got, err, want)
				}
			}
		}
	}
}

func TestRawTakesPathsAsTheyAre(t *testing.T) {
	for arg, want := range map[string]string{"/a/*": "/a/*", "/": "/", "a": "", "/a/": "", "": ""} {
		got, err := Parser{Root: "/no/such/folder", Raw: true}.Path(arg)
		if string(got) != want || (err == nil) != (want != "") {
			t.Errorf("Path(%q) = %q, %v, want %q", arg, got, err, want)
		}
	}
}

func TestRequestHasAClaimForEachArgument(t *testing.T) {
	root := repository(t)
	p := Parser{Root: root}
	req, all, err := p.Request(Args{Read: []string{"api", "x/*"}, Write: []string{"../docs"}, ReadNode: []string{"n"}, WriteNode: []string{"."}})
	if err != nil {
		t.Fatal(err)
	}
	want := treelock.Read("/src/api").Read("/src/x").Write("/docs").ReadNode("/src/n").WriteNode("/src")
	if req.String() != want.String() {
		t.Errorf("Request = %v, want %v", req, want)
	}
	var args []string
	for _, c := range all {
		args = append(args, c.Arg+" "+string(c.Claim.Node))
	}
	if got, want := strings.Join(args, ", "), "api /src/api, x/* /src/x, ../docs /docs, n /src/n, . /src"; got != want {
		t.Errorf("claimed = %s, want %s", got, want)
	}
	for _, args := range []Args{{ReadNode: []string{"a*"}}, {WriteNode: []string{"a*"}}} {
		if _, _, err := p.Request(args); err == nil || err.Error() != "a* is a glob, and a node has one name" {
			t.Errorf("Request(%v): %v", args, err)
		}
	}
	if _, _, err := p.Request(Args{Write: []string{"/"}}); err == nil {
		t.Error("Request of a path outside the root: no error")
	}
}

func TestNameThatMayExistIsAnError(t *testing.T) {
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		t.Skip("no folder is closed to this user")
	}
	root := repository(t)
	if err := os.Chmod("api", 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(filepath.Join(root, "src/api"), 0o700) })
	if got, err := (Parser{Root: root}).Path("api/[a]"); err == nil || err.Error() != "api/[a]: permission denied" {
		t.Errorf("Path = %q, %v", got, err)
	}
}

func TestLiteralNameIsNoGlob(t *testing.T) {
	p := Parser{Root: t.TempDir(), Literal: true}
	for name, want := range map[string]string{"app/[id]/page.tsx": "/app/[id]/page.tsx", "a*?": "/a*?", "x/../b[": "/b["} {
		req, _, err := p.Request(Args{WriteNode: []string{filepath.Join(p.Root, name)}})
		if err != nil || string(req.Claim(0).Node) != want {
			t.Errorf("%q: %v, %v, want %s", name, req, err, want)
		}
	}
	if path, err := p.Path(p.Root + `/\[x\]`); escapes && (err != nil || path != `/\[x\]`) {
		t.Errorf("%v, %v, want that the backslashes are there", path, err)
	}
}

// TestLongNameTakesLittleTime has names of as many components as a tool of an agent can send.
func TestLongNameTakesLittleTime(t *testing.T) {
	p := Parser{Root: t.TempDir()}
	began := time.Now()
	if _, err := p.Path(strings.Repeat("a/", MaxName) + "*"); err == nil || len(err.Error()) > 200 {
		t.Errorf("a name that is too long: %.300v", err)
	}
	path, err := p.Path(p.Root + strings.Repeat("/a", 20_000) + "/*")
	if want := strings.Repeat("/a", 20_000); err != nil || string(path) != want {
		t.Errorf("a glob in a deep folder: %.100v, %v, want %.100s", path, err, want)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}
