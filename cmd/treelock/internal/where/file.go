package where

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

const (
	projectFile  = ".treelock.toml" // in the root folder
	maxFileBytes = 1 << 20
)

// machineFile is for all users of a machine. Tests set it. There is none if it is empty.
var machineFile = func() string {
	if runtime.GOOS == "windows" {
		return ""
	}
	return "/etc/treelock/config.toml"
}()

// trust says what a file may set.
type trust bool

const (
	trusted   trust = true
	untrusted trust = false // a project's file
)

// userFile reads the file of the user.
func userFile() (place, error) {
	dir, err := os.UserConfigDir()
	if err != nil { // there is no home
		return readFile("", trusted)
	}
	return readFile(filepath.Join(dir, "treelock", "config.toml"), trusted)
}

// readFile reads a configuration file. The place has nothing if there is no such file.
func readFile(name string, trust trust) (place, error) {
	values := map[string]string{}
	p := place{ErrConfig, func(set setting) (text, from string, ok bool) {
		text, ok = values[set.key]
		return text, name, ok
	}}
	text, err := content(name)
	if err == nil {
		err = parseFile(values, name, text, trust)
	}
	if err != nil {
		return p, &kindError{ErrConfig, err}
	}
	return p, nil
}

// content returns the text of a file, and "" if there is no file. What is not a regular file is not
// opened: a pipe in a cloned repository would block.
func content(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s: it is not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if len(text) > maxFileBytes {
		return "", fmt.Errorf("%s: it has more than %d bytes", name, maxFileBytes)
	}
	return string(text), err
}

// parseFile takes the values from the text of a file. An error names the line.
func parseFile(values map[string]string, name, text string, trust trust) error {
	var all map[string]any
	if _, err := toml.Decode(text, &all); err != nil {
		var syntax toml.ParseError
		if errors.As(err, &syntax) {
			return fmt.Errorf("%s:%d: %s", name, syntax.Position.Line, cmp.Or(syntax.Message, "it is not TOML"))
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	keys := make([]string, 0, len(all))
	for key := range all {
		keys = append(keys, key)
	}
	// The first wrong line is the one that is reported.
	slices.SortFunc(keys, func(a, b string) int { return cmp.Compare(lineOf(text, a), lineOf(text, b)) })
	for _, key := range keys {
		set, ok := settingOf(key)
		var err error
		switch {
		case !ok:
			err = fmt.Errorf("unknown key %q", key)
		case trust == untrusted && !set.project:
			err = fmt.Errorf("a project's file may not set %s", key)
		default:
			values[key], err = set.valueIn(filepath.Dir(name), all[key])
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", name, lineOf(text, key), err)
		}
	}
	return nil
}

// valueIn returns the text of a value in a file of a folder.
func (s setting) valueIn(dir string, value any) (string, error) {
	switch v := value.(type) {
	case bool:
		if s.kind == boolean {
			return strconv.FormatBool(v), nil
		}
	case string:
		if s.kind == fileName && v != "" && !filepath.IsAbs(v) {
			return filepath.Join(dir, v), nil
		}
		if s.kind != boolean && s.kind != list {
			return v, nil
		}
	case []any:
		if s.kind == list {
			return joined(s.key, v)
		}
	}
	want := map[kind]string{list: "a list of strings", boolean: "true or false"}[s.kind]
	return "", fmt.Errorf("%s must be %s", s.key, cmp.Or(want, "a string"))
}

// joined returns the strings of a list with commas between.
func joined(key string, values []any) (string, error) {
	var texts []string
	for _, v := range values {
		text, ok := v.(string)
		if !ok || strings.Contains(text, ",") {
			return "", fmt.Errorf("%s must be a list of strings without commas", key)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ","), nil
}

// lineOf returns the first line that sets a key, or that begins a table of that name: the parser
// does not tell it.
func lineOf(text, key string) int {
	key = regexp.QuoteMeta(key)
	line := regexp.MustCompile(`^[\s[]*["']?` + key + `["']?\s*[.=\]]`)
	for i, have := range strings.Split(text, "\n") {
		if line.MatchString(have) {
			return i + 1
		}
	}
	return 1
}
