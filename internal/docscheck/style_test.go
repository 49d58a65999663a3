// Package docscheck has tests of what people read: comments, doc links, Markdown, and README's
// promises.
package docscheck

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	root  = "../.."
	width = 100 // columns of a comment, and of prose
)

// banned are the words that hide who does what. Names that Go code declares are checked as well as
// comments; string literals and code in Markdown are not.
var banned = regexp.MustCompile(`(?i)\b(whoever|whomever|nobody|somebody|for ever|be it|lets go of|` +
	`in the way|comes of|quarrel|sighting|culprit|whims?|moods?)\b`)

// files calls visit for each file of the repository whose name has the suffix, with its folder.
func files(t *testing.T, suffix string, visit func(dir, name string, text []byte)) {
	t.Helper()
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if name := entry.Name(); err == nil && entry.IsDir() && (name == ".git" || name == "testdata") {
			return filepath.SkipDir
		}
		if err != nil || entry.IsDir() || !strings.HasSuffix(file, suffix) {
			return err
		}
		text, err := os.ReadFile(file)
		rel := filepath.ToSlash(strings.TrimPrefix(file, filepath.FromSlash(root+"/")))
		visit(path.Dir(rel), rel, text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCommentsArePlain(t *testing.T) {
	files(t, ".go", func(dir, name string, text []byte) {
		fset, lines := token.NewFileSet(), strings.Split(string(text), "\n")
		file := fset.AddFile(name, -1, len(text))
		var s scanner.Scanner
		s.Init(file, text, nil, scanner.ScanComments)
		for pos, tok, lit := s.Scan(); tok != token.EOF; pos, tok, lit = s.Scan() {
			if tok != token.COMMENT && tok != token.IDENT {
				continue
			}
			first := file.Line(pos)
			for i := range strings.Split(lit, "\n") {
				if n := utf8.RuneCountInString(lines[first+i-1]); tok == token.COMMENT && n > width {
					t.Errorf("%s:%d: a comment of %d columns, want at most %d", name, first+i, n, width)
				}
			}
			if word := banned.FindString(lit); word != "" {
				t.Errorf("%s:%d: %q is a banned word", name, first, word)
			}
		}
	})
}

var (
	fences = regexp.MustCompile("(?ms)^```.*?^```$")
	spans  = regexp.MustCompile("`[^`\n]*`")
	links  = regexp.MustCompile(`\]\(([^)\s:]+)\)`) // relative ones
)

func TestMarkdownIsPlainAndItsLinksExist(t *testing.T) {
	headings, targets := map[string]string{}, map[string][]string{}
	files(t, ".md", func(dir, name string, text []byte) {
		prose := fences.ReplaceAllStringFunc(string(text), func(code string) string {
			return strings.Repeat("\n", strings.Count(code, "\n"))
		})
		for _, link := range links.FindAllStringSubmatch(prose, -1) {
			targets[name] = append(targets[name], link[1])
		}
		for i, line := range strings.Split(prose, "\n") {
			if strings.HasPrefix(line, "#") {
				headings[name] += slug(strings.TrimLeft(line, "# ")) + "\n"
			}
			if n := utf8.RuneCountInString(line); n > width && !strings.HasPrefix(line, "|") {
				t.Errorf("%s:%d: a line of %d columns, want at most %d", name, i+1, n, width)
			}
			if word := banned.FindString(spans.ReplaceAllString(line, "")); word != "" {
				t.Errorf("%s:%d: %q is a banned word", name, i+1, word)
			}
		}
	})
	for name, targets := range targets {
		for _, target := range targets {
			file, anchor, _ := strings.Cut(target, "#")
			if file = path.Join(path.Dir(name), file); strings.HasPrefix(target, "#") {
				file = name
			}
			if _, err := os.Stat(filepath.Join(root, file)); err != nil {
				t.Errorf("%s: link to %s: %v", name, target, err)
			}
			if anchor != "" && !strings.Contains("\n"+headings[file], "\n"+anchor+"\n") {
				t.Errorf("%s: link to %s: there is no such heading", name, target)
			}
		}
	}
}

// slug returns the anchor that GitHub makes of a heading.
func slug(heading string) string {
	kept := regexp.MustCompile(`[^\pL\pN\- ]`).ReplaceAllString(strings.ToLower(heading), "")
	return strings.ReplaceAll(kept, " ", "-")
}
