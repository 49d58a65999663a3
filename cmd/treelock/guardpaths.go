package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/treelock/treelock/cmd/treelock/internal/paths"
)

// maxInput is how much guard reads. A hook gets the content of a file that is to be written.
const maxInput = 64 << 20

// needed returns the claims that the caller must hold.
func (g *guard) needed(cmd *cobra.Command) (needed []need, err error) {
	names := g.args
	switch {
	case g.stdin:
		names, err = readNames(cmd.InOrStdin())
	case g.staged:
		names, err = stagedFiles(cmd)
	case g.hook != "":
		names, err = readHook(cmd.InOrStdin())
	}
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if g.hook != "" && !g.Raw && len(name) <= paths.MaxName && outside(g.Root, name) {
			continue
		}
		n, err := g.needOf(name, len(g.args) == 0)
		if err != nil {
			return nil, err
		}
		needed = append(needed, n)
	}
	return needed, nil
}

// needOf returns the claim for one name. A literal one is no glob.
func (g *guard) needOf(name string, literal bool) (need, error) {
	args := paths.Args{WriteNode: []string{name}}
	if g.Raw || !literal && strings.ContainsAny(name, "*?[") || isFolder(name) {
		args = paths.Args{Write: []string{name}}
	}
	parser := g.parser()
	parser.Literal = literal
	req, _, err := parser.Request(args)
	if err != nil {
		return need{}, err
	}
	return need{name, req.Claim(0)}, nil
}

// isFolder reports whether a name means a folder, and not a link to one.
func isFolder(name string) bool {
	if name != "" && os.IsPathSeparator(name[len(name)-1]) {
		return true
	}
	info, err := os.Lstat(name)
	return err == nil && info.IsDir()
}

// readNames reads names with NUL bytes between, or line breaks if there is no NUL byte.
func readNames(in io.Reader) (names []string, err error) {
	text, err := readAll(in)
	if err != nil {
		return nil, err
	}
	separator := "\n"
	if bytes.IndexByte(text, 0) >= 0 {
		separator = "\x00"
	}
	for name := range strings.SplitSeq(string(text), separator) {
		if separator == "\n" {
			name = strings.TrimSuffix(name, "\r")
		}
		if name != "" {
			names = append(names, name)
		}
	}
	return names, nil
}

func readAll(in io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err == nil && len(text) > maxInput {
		err = fmt.Errorf("standard input has more than %d bytes", maxInput)
	}
	return text, err
}

// stagedFiles returns the absolute names of the files that the next commit changes. A file that is
// renamed has two: its old name is written, too.
func stagedFiles(cmd *cobra.Command) (names []string, err error) {
	top, err := runGit(cmd, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	// The configuration may leave out files that are not below the working directory, and
	// submodules.
	staged, err := runGit(cmd, "-c", "diff.relative=false", "diff", "--cached", "--name-only", "--no-renames", "--no-ext-diff",
		"--ignore-submodules=none", "-z")
	if err != nil {
		return nil, err
	}
	for name := range strings.SplitSeq(staged, "\x00") {
		if name != "" {
			names = append(names, filepath.Join(strings.TrimSuffix(top, "\n"), filepath.FromSlash(name)))
		}
	}
	return names, nil
}

func runGit(cmd *cobra.Command, args ...string) (string, error) {
	out, err := exec.CommandContext(cmd.Context(), "git", args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		first, _, _ := strings.Cut(strings.TrimSpace(string(exit.Stderr)), "\n")
		err = fmt.Errorf("git %s: %s", strings.Join(args, " "), first)
	}
	return string(out), err
}

// A toolHook is the part of a hook's JSON that guard needs: the hook PreToolUse of Claude Code.
type toolHook struct {
	Cwd       string `json:"cwd"`
	ToolInput struct {
		FilePath     string `json:"file_path"`
		NotebookPath string `json:"notebook_path"`
	} `json:"tool_input"`
}

// readHook returns the file that a tool is about to write, if its input names one.
func readHook(in io.Reader) (names []string, err error) {
	text, err := readAll(in)
	if err != nil {
		return nil, err
	}
	var hook toolHook
	if err := json.Unmarshal(text, &hook); err != nil {
		return nil, fmt.Errorf("the input is not the JSON of a tool hook: %w", err)
	}
	for _, name := range []string{hook.ToolInput.FilePath, hook.ToolInput.NotebookPath} {
		if name != "" && !filepath.IsAbs(name) && hook.Cwd != "" {
			name = filepath.Join(hook.Cwd, name)
		}
		if name != "" {
			names = append(names, name)
		}
	}
	return names, nil
}

// outside reports whether a name is not in the root, also when the links in both are followed.
func outside(root, name string) bool {
	absolute, err := filepath.Abs(name)
	if err != nil {
		return false
	}
	return !containsName(root, absolute) && !containsName(resolved(root), resolved(absolute))
}

func containsName(folder, name string) bool {
	rest, err := filepath.Rel(folder, name)
	return err == nil && filepath.IsLocal(rest)
}

// resolved follows the links in the part of an absolute name that exists.
func resolved(name string) string {
	for parent := name; ; parent = filepath.Dir(parent) {
		if real, err := filepath.EvalSymlinks(parent); err == nil {
			rest, err := filepath.Rel(parent, name)
			if err != nil {
				return name
			}
			return filepath.Join(real, rest)
		}
		if parent == filepath.Dir(parent) {
			return name
		}
	}
}
