package treelock

import (
	"fmt"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/treelock/treelock/internal/nodetext"
)

// FilePath returns the path of a file or folder from its name in the form of the operating system.
// A relative name is one in the working directory: [filepath.Abs] makes names absolute and resolves
// "." and "..". On Unix the result is that absolute name. On Windows both separators become "/",
// and the volume is the first name:
//
//	C:\repo\src, c:/repo/src, \\?\C:\repo\src     /C:/repo/src
//	\\server\share\x, \\?\UNC\server\share\x      /\\server\share/x
//	\\.\pipe\x, \\?\pipe\x                        /\\?\pipe/x
//
// It fails with a [*PathError] for the empty name, a name with a NUL byte, and a name on Windows
// whose volume is incomplete, such as \\server. It fails with the error of filepath.Abs if the
// working directory is unknown.
//
// It looks at no file, and gives two paths to two names of one file in these cases, which the
// program must settle where they can occur:
//
//   - Names that differ in case, on a file system that ignores case (of Windows names, only a drive
//     letter becomes a capital), and names that differ in their Unicode normal form. Fold them, as
//     the example does.
//   - Symbolic and hard links, mounts, drives that stand for a share or a folder, and volumes by
//     their GUID. [filepath.EvalSymlinks] resolves some of them.
//   - On Windows, short names (PROGRA~1), streams (a.txt:b), and dots and spaces at the end of a
//     name, where filepath.Abs leaves them.
//
// Its cost is that of filepath.Abs, which may ask the operating system for the working directory,
// and O(len(name)).
func FilePath(name string) (Path, error) {
	if name == "" {
		return "", &PathError{Path: name, Rule: RuleNoName}
	}
	if strings.IndexByte(name, 0) >= 0 {
		return "", &PathError{Path: name, Rule: RuleNUL}
	}
	absolute, err := filepath.Abs(name)
	if err != nil {
		return "", fmt.Errorf("treelock: file name %s: %w", nodetext.Quote(name, longestQuote), err)
	}
	if runtime.GOOS == "windows" {
		return windowsPath(absolute)
	}
	return ParsePath(absolute)
}

// windowsPath returns the path of an absolute name in the form of Windows. It works on any system.
func windowsPath(name string) (Path, error) {
	volume, rest, ok := cutVolume(strings.ReplaceAll(name, `\`, "/"))
	if !ok {
		return "", &PathError{Path: name, Rule: RuleVolume}
	}
	return Path(strings.TrimSuffix("/"+volume+path.Clean("/"+rest), "/")), nil
}

// cutVolume cuts an absolute name of Windows, with slashes as its only separators, behind its
// volume. All forms of one volume give the same text. ok is false if the name is not absolute or
// its volume is not complete.
func cutVolume(name string) (volume, rest string, ok bool) {
	for _, prefix := range [...]string{"//?/", "//./", "/??/"} {
		if device, found := strings.CutPrefix(name, prefix); found {
			return cutDevice(device)
		}
	}
	if share, found := strings.CutPrefix(name, "//"); found {
		return cutShare(share)
	}
	volume, rest, ok = strings.Cut(name, "/")
	return strings.ToUpper(volume), rest, ok && isDrive(volume)
}

// cutDevice is cutVolume for a name behind `\\?\`, which may also be a drive or a share.
func cutDevice(name string) (volume, rest string, ok bool) {
	device, rest, _ := strings.Cut(name, "/")
	switch {
	case strings.EqualFold(device, "UNC"):
		return cutShare(rest)
	case isDrive(device):
		return strings.ToUpper(device), rest, true
	default:
		return `\\?\` + device, rest, ruleOfName(device) == ""
	}
}

// cutShare is cutVolume for a name behind the `\\` of a server.
func cutShare(name string) (volume, rest string, ok bool) {
	server, rest, _ := strings.Cut(name, "/")
	share, rest, _ := strings.Cut(rest, "/")
	return `\\` + server + `\` + share, rest, ruleOfName(server) == "" && ruleOfName(share) == ""
}

// isDrive reports whether volume is a letter and a colon.
func isDrive(volume string) bool {
	return len(volume) == 2 && volume[1] == ':' && 'a' <= volume[0]|0x20 && volume[0]|0x20 <= 'z'
}
