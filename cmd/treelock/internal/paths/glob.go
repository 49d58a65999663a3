package paths

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// escapes are whether a backslash takes the meaning of the next character away. On Windows it
// separates names.
const escapes = runtime.GOOS != "windows"

// cutGlob cuts an absolute name before its first component that is a glob, and reports whether
// there is one. The subtree of what is left contains all that the name matches. A component is no
// glob if a file of that name exists, as written, or if a backslash is before each of its
// characters with a meaning; these backslashes are removed.
func cutGlob(name string) (literal string, glob bool, err error) {
	start := len(filepath.VolumeName(name)) + 1
	if start > len(name) || !strings.ContainsAny(name, meta) {
		return name, false, nil
	}
	cut := []byte(name[:start])
	for component := range strings.SplitSeq(name[start:], string(filepath.Separator)) {
		before := len(cut)
		if before > start {
			cut = append(cut, filepath.Separator)
		}
		parent := len(cut)
		cut = append(cut, component...)
		if !strings.ContainsAny(component, meta) {
			continue
		}
		exists, err := isThere(string(cut))
		if err != nil {
			return "", false, err
		}
		if !exists {
			if component, glob = unescape(component); glob {
				return string(cut[:before]), true, nil
			}
			cut = append(cut[:parent], component...)
		}
	}
	return string(cut), false, nil
}

const meta = `*?[`

// isThere reports whether a file exists. If it may exist, and the system does not say so, that is
// an error: another process would take the name for what it is not here.
func isThere(name string) (bool, error) {
	_, err := os.Lstat(name)
	var path *os.PathError
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, os.ErrPermission) && errors.As(err, &path):
		return false, path.Err
	}
	return false, nil
}

// unescape removes the backslashes of a component, and reports whether a character keeps its
// meaning: then the component is a glob.
func unescape(component string) (literal string, glob bool) {
	var b strings.Builder
	for i := 0; i < len(component); i++ {
		switch c := component[i]; {
		case escapes && c == '\\' && i+1 < len(component) && strings.IndexByte(meta+`\]`, component[i+1]) >= 0:
			i++
		case strings.IndexByte(meta, c) >= 0:
			return "", true
		}
		b.WriteByte(component[i])
	}
	return b.String(), false
}
