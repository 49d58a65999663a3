package treelock_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/treelock/treelock"
)

func TestNamesOfWindowsBeginWithTheirVolume(t *testing.T) {
	for name, want := range map[string]treelock.Path{
		`C:\repo`:              "/C:/repo",
		`C:\repo\src`:          "/C:/repo/src",
		`C:\`:                  "/C:",
		`c:\repo`:              "/C:/repo",
		`z:\Repo`:              "/Z:/Repo",
		`C:/repo/src`:          "/C:/repo/src",
		`C:\repo/src\a`:        "/C:/repo/src/a",
		`C:\repo\`:             "/C:/repo",
		`C:\\repo\\src`:        "/C:/repo/src",
		`C:\repo\.\src`:        "/C:/repo/src",
		`C:\repo\..\src`:       "/C:/src",
		`C:\..\..\x`:           "/C:/x",
		`C:\...\ä b`:           "/C:/.../ä b",
		`C:\%2F\a.txt:b`:       "/C:/%2F/a.txt:b",
		"C:\\\xff":             "/C:/\xff",
		`\\server\share`:       `/\\server\share`,
		`\\server\share\`:      `/\\server\share`,
		`\\server\share\x`:     `/\\server\share/x`,
		`\\server\share\..\x`:  `/\\server\share/x`,
		`//server/share/x`:     `/\\server\share/x`,
		`\\Server\Share\x`:     `/\\Server\Share/x`,
		`\\server\C$\x`:        `/\\server\C$/x`,
		`\\?\C:\repo`:          "/C:/repo",
		`\\?\c:\repo`:          "/C:/repo",
		`\\?\C:\`:              "/C:",
		`\\?\C:`:               "/C:",
		`\\.\C:\repo`:          "/C:/repo",
		`\??\C:\repo`:          "/C:/repo",
		`//?/C:/repo`:          "/C:/repo",
		`\\?\UNC\server\s\x`:   `/\\server\s/x`,
		`\\?\unc\server\s\x`:   `/\\server\s/x`,
		`\\.\UNC\server\s`:     `/\\server\s`,
		`\\.\NUL`:              `/\\?\NUL`,
		`\\.\pipe\name`:        `/\\?\pipe/name`,
		`\\?\pipe\name`:        `/\\?\pipe/name`,
		`\\?\Volume{26a2}\a\b`: `/\\?\Volume{26a2}/a/b`,
		`\\?\C:foo\x`:          `/\\?\C:foo/x`, // as Windows reads it: no drive
	} {
		if got, err := treelock.WindowsPath(name); got != want || err != nil {
			t.Errorf("windowsPath(%s) = %s, %v, want %s", name, got, err, want)
		}
	}
}

func TestNamesOfWindowsWithoutAWholeVolumeAreRefused(t *testing.T) {
	for _, name := range []string{
		``, `foo`, `foo\bar`, `.`, `C`, `C:`, `C:foo`, `C:..\foo`, `\foo`, `/foo`, `\`, `1:\x`, `ä:\x`, `CC:\x`, `:\x`, `@:\x`, `[:\x`,
		`\\`, `\\\`, `\\server`, `\\server\`, `\\server\\x`, `\\\share\x`, `\\server\..\x`, `\\.\..\x`, `\\..\share\x`,
		`\\?`, `\\?\`, `\\?\\x`, `\\.`, `\\.\`, `\\?\.\x`, `\\?\UNC`, `\\?\UNC\server`, `\\?\UNC\server\`, `\??\`,
	} {
		got, err := treelock.WindowsPath(name)
		var refusal *treelock.PathError
		if got != "" || !errors.As(err, &refusal) || *refusal != (treelock.PathError{Path: name, Rule: treelock.RuleVolume}) {
			t.Errorf("windowsPath(%s) = %s, %v, want it refused by RuleVolume", name, got, err)
		}
	}
}

// TestAnyNameOfWindowsIsRefusedOrCanonical also checks that what lies below a name lies below its
// path, and that either separator will do.
func TestAnyNameOfWindowsIsRefusedOrCanonical(t *testing.T) {
	rng := rand.New(rand.NewPCG(25, 26))
	pieces := []string{`\`, `\`, `\\`, `/`, `.`, `..`, `?`, `C:`, `c`, `UNC`, `s`, `:`, "\xff"}
	starts := []string{``, `C:\`, `\\`, `\\?\`, `\\.\UNC\`, `\\s\s`}
	accepted := 0
	for range 50_000 {
		name := starts[rng.IntN(len(starts))]
		for range rng.IntN(8) {
			name += pieces[rng.IntN(len(pieces))]
		}
		got, err := treelock.WindowsPath(name)
		slashed, slashedErr := treelock.WindowsPath(strings.ReplaceAll(name, `\`, `/`))
		if slashed != got || (slashedErr == nil) != (err == nil) {
			t.Fatalf("windowsPath(%q) = %q, %v, and with slashes %q, %v", name, got, err, slashed, slashedErr)
		}
		if err != nil {
			continue
		}
		accepted++
		if _, err := treelock.ParsePath(string(got)); err != nil || got == "/" {
			t.Fatalf("windowsPath(%q) = %q, want a canonical path below the root", name, got)
		}
		if below, err := treelock.WindowsPath(name + `\below`); below != got+"/below" || err != nil {
			t.Fatalf("windowsPath(%q) = %q, but with \\below behind it %q, %v", name, got, below, err)
		}
	}
	if accepted < 10_000 || accepted > 40_000 {
		t.Errorf("%d of 50,000 names were accepted: the test tests one answer only", accepted)
	}
}

func TestFilePathIsTheAbsoluteName(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("names of Unix")
	}
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	wd := treelock.Path(here)
	for name, want := range map[string]treelock.Path{
		"/":                         "/",
		"//":                        "/",
		"//a//b/":                   "/a/b",
		"/a/./b/../c":               "/a/c",
		"/../..":                    "/",
		"/../a":                     "/a",
		`/a\b`:                      `/a\b`, // a backslash is a character like others
		`/C:\repo`:                  `/C:\repo`,
		"/%2F/ä \n\xff":             "/%2F/ä \n\xff",
		".":                         wd,
		"a":                         wd + "/a",
		"./a/":                      wd + "/a",
		"..":                        treelock.Path(filepath.Dir(here)),
		`C:\a`:                      wd + `/C:\a`,
		`\a`:                        wd + `/\a`,
		strings.Repeat("../", 4096): "/",
	} {
		if got, err := treelock.FilePath(name); got != want || err != nil {
			t.Errorf("FilePath(%q) = %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestFilePathRefusesWhatNamesNoFile(t *testing.T) {
	for name, rule := range map[string]treelock.PathRule{
		"": treelock.RuleNoName, "\x00": treelock.RuleNUL, "/a\x00b": treelock.RuleNUL, "a/\x00": treelock.RuleNUL,
	} {
		got, err := treelock.FilePath(name)
		var refusal *treelock.PathError
		if got != "" || !errors.As(err, &refusal) || *refusal != (treelock.PathError{Path: name, Rule: rule}) {
			t.Errorf("FilePath(%q) = %q, %v, want it refused by: %s", name, got, err, rule)
		}
	}
}

func TestFilePathFailsWithoutAWorkingDirectory(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Remove(dir); err != nil {
		t.Skip("a working directory cannot be removed here")
	}
	got, err := treelock.FilePath("a\nb")
	if got != "" || !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), `treelock: file name "a\nb": `) {
		t.Errorf("FilePath() = %q, %v, want an error that names the file and the cause", got, err)
	}
	if got, err := treelock.FilePath("/a"); got != "/a" || err != nil {
		t.Errorf("FilePath(/a) = %q, %v, want no need of the working directory", got, err)
	}
}
