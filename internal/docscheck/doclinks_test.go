package docscheck

import (
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const module = "github.com/treelock/treelock"

var (
	bracketed = regexp.MustCompile(`\[\*?(\pL\w*\.)*\p{Lu}\w+\]`) // what looks like a doc link
	code      = regexp.MustCompile(`(?s)<pre>.*?</pre>`)
	href      = regexp.MustCompile(`href="/([^"#]+)#((\w+)\.)?(\w+)"`)
)

func TestDocLinksResolve(t *testing.T) {
	known := map[string]*documented{}
	load := func(importPath string) *documented {
		if known[importPath] == nil {
			known[importPath] = packageOf(t, importPath)
		}
		return known[importPath]
	}
	files(t, ".go", func(dir, name string, _ []byte) {
		if !strings.HasSuffix(name, "_test.go") {
			load(path.Join(module, dir))
		}
	})
	for importPath, p := range maps.Clone(known) {
		dir := strings.TrimPrefix(importPath, module)
		for _, group := range p.shown {
			if link := bracketed.FindString(group.Text()); link != "" {
				t.Errorf("%s: a link is not rendered here: %s in %.50q", dir, link, group.Text())
			}
		}
		for _, group := range p.rendered {
			html := code.ReplaceAllString(string(p.HTML(group.Text())), "")
			if link := bracketed.FindString(html); link != "" {
				t.Errorf("%s: a link to nothing: %s in %.50q", dir, link, group.Text())
			}
			for _, link := range href.FindAllStringSubmatch(html, -1) {
				importPath, receiver, name := link[1], link[3], link[4]
				foreign := strings.Contains(importPath, ".") && !strings.HasPrefix(importPath, module)
				if !foreign && !load(importPath).Parser().LookupSym(receiver, name) {
					t.Errorf("%s: a link to nothing: %s in %.50q", dir, link[0], group.Text())
				}
			}
		}
	}
}

// documented is a package with its comments. The rendered ones may have links. The shown ones, of
// fields, interface methods, constants and variables, are printed as they are.
type documented struct {
	*doc.Package
	rendered, shown []*ast.CommentGroup
}

// packageOf parses a package of this repository, or of the standard library.
func packageOf(t *testing.T, importPath string) *documented {
	t.Helper()
	dir := filepath.Join(build.Default.GOROOT, "src", importPath)
	if rest, ours := strings.CutPrefix(importPath, module); ours {
		dir = filepath.Join(root, rest)
	}
	pkg, err := build.ImportDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	p, fset, parsed := &documented{}, token.NewFileSet(), []*ast.File(nil)
	for _, name := range pkg.GoFiles {
		file, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, file)
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.File:
				p.rendered = append(p.rendered, n.Doc)
			case *ast.GenDecl:
				p.rendered = append(p.rendered, n.Doc)
			case *ast.FuncDecl:
				p.rendered = append(p.rendered, n.Doc)
			case *ast.TypeSpec:
				p.rendered = append(p.rendered, n.Doc)
			case *ast.Field:
				p.shown = append(p.shown, n.Doc, n.Comment)
			case *ast.ValueSpec:
				p.shown = append(p.shown, n.Doc, n.Comment)
			}
			return true
		})
	}
	if p.Package, err = doc.NewFromFiles(fset, parsed, importPath, doc.AllDecls); err != nil {
		t.Fatal(err)
	}
	return p
}
