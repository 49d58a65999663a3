package bucket

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/treelock/treelock/examples/webdav/internal/files"
)

// longest is how many bytes a key of a client may have. That of its properties, or of what is set
// aside, is longer.
const (
	longest      = 960
	longestOfAll = 1024 // in S3
)

var errTooLong = fmt.Errorf("%w: the key of an object", syscall.ENAMETOOLONG)

// keyOf returns the key of a path, "" for that of the root.
func keyOf(op, name string) (string, error) {
	key := strings.TrimPrefix(path.Clean("/"+name), "/")
	if files.Hidden(name) || key != "" && !valid(key) {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrPermission}
	}
	if len(key) > longest {
		return "", &fs.PathError{Op: op, Path: name, Err: syscall.ENAMETOOLONG}
	}
	return key, nil
}

// memberKey is keyOf for a name that is not the root.
func memberKey(op, name string) (string, error) {
	key, err := keyOf(op, name)
	if err == nil && key == "" {
		err = &fs.PathError{Op: op, Path: name, Err: fs.ErrPermission}
	}
	return key, err
}

// valid reports whether a key is a path of names that are shown, or hidden.
func valid(key string) bool {
	if !utf8.ValidString(key) || strings.Contains(key, "\\") || strings.ContainsFunc(key, unicode.IsControl) {
		return false
	}
	for name := range strings.SplitSeq(key, "/") {
		if name == "" || name == "." || name == ".." {
			return false
		}
	}
	return true
}

// mark returns the key of the mark of a folder, which all keys below it begin with. It is "" for
// the root.
func mark(key string) string {
	if key == "" {
		return ""
	}
	return key + "/"
}

// parent returns the key of the folder of a key.
func parent(key string) string {
	if i := strings.LastIndexByte(key, '/'); i >= 0 {
		return key[:i]
	}
	return ""
}

// propsKey returns the key of the properties of a file or folder.
func propsKey(key string) string {
	if key == "" {
		key = "."
	}
	return files.PropsFile(key)
}

// shown returns the path of an object, or for a hidden one that of the folder with it.
func shown(key string) string {
	key = strings.TrimSuffix(key, "/")
	for files.Hidden(key) {
		key = parent(key)
	}
	return key
}
