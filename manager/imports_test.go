package manager

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// TestThereIsNoMutex reads the source of everything that decides about locks: channels alone carry
// what passes between goroutines. sync.Pool is allowed, where a benchmark shows the need. The test
// also checks that the lock table and the queues know nothing of package treelock.
func TestThereIsNoMutex(t *testing.T) {
	for _, dir := range []string{".", "../waitqueue", "../internal/locktable"} {
		files, err := fs.Glob(os.DirFS(dir), "*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("Glob(%s) = %v, %v, want some files", dir, files, err)
		}
		for _, name := range files {
			if !strings.HasSuffix(name, "_test.go") {
				checkImports(t, dir+"/"+name, dir == ".")
			}
		}
	}
}

func checkImports(t *testing.T, name string, mayKnowRequests bool) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range file.Imports {
		imported := strings.Trim(spec.Path.Value, `"`)
		if strings.HasPrefix(imported, "sync/") || imported == "sync" && spec.Name != nil {
			t.Errorf("%s imports %s %v", name, imported, spec.Name)
		}
		if imported == "github.com/treelock/treelock" && !mayKnowRequests {
			t.Errorf("%s imports %s, and must know nothing of it", name, imported)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "sync" && sel.Sel.Name != "Pool" {
				t.Errorf("%s uses sync.%s", fset.Position(sel.Pos()), sel.Sel.Name)
			}
		}
		return true
	})
}
