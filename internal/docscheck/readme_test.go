package docscheck

import (
	"fmt"
	"go/ast"
	"go/parser"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

var block = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

// blocks returns the blocks of code in a Markdown file that are in a language.
func blocks(t *testing.T, name, language string) (found []string) {
	t.Helper()
	for _, b := range block.FindAllStringSubmatch(read(t, name), -1) {
		if b[1] == language {
			found = append(found, b[2])
		}
	}
	return found
}

// read returns the text of a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// write writes a file, and makes its folder.
func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// The set-up of README runs as it is in an empty folder, except that the clone is a link to this
// repository. It ends with README's program. All other code of README and docs runs there, too.
func TestProgramsOfReadmeAndDocs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the set-up is for a POSIX shell")
	}
	clone, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	run := func(dir, command string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "sh", "-ec", command)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=", "GOFLAGS=", "GOSUMDB=off")
		var problems strings.Builder
		cmd.Stderr = &problems
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s\n%v\n%s%s", command, err, out, problems.String())
		}
		return string(out)
	}

	program, output := blocks(t, "README.md", "go")[0], blocks(t, "README.md", "text")[0]
	setUp, cloned := strings.CutPrefix(blocks(t, "README.md", "sh")[0], "git clone "+"https://"+module+"\n")
	if !cloned || os.Symlink(clone, filepath.Join(home, "treelock")) != nil {
		t.Fatal("the set-up does not begin with a clone, or there is no link to it")
	}
	app := filepath.Join(home, "photos")
	write(t, filepath.Join(app, "main.go"), program)
	if got := run(home, setUp); got != output {
		t.Errorf("the program prints\n%swant\n%s", got, output)
	}

	for _, name := range []string{"README.md", "docs/recipes.md"} {
		for i, code := range blocks(t, name, "go") {
			file := fmt.Sprintf("%s%d/a_test.go", strings.TrimSuffix(filepath.Base(name), ".md"), i)
			if !strings.HasPrefix(code, "package") {
				write(t, filepath.Join(app, file), complete(code))
			}
		}
	}
	write(t, filepath.Join(app, "metrics", "a_test.go"), complete("_ = metrics.New(m)\n"))
	run(app, "go mod tidy && go test ./...") // also what has no test is compiled
	const workspace = "go work init . ../treelock"
	if !strings.Contains(read(t, "CONTRIBUTING.md"), "`"+workspace+"`") {
		t.Errorf("CONTRIBUTING.md does not say %q", workspace)
	}
	run(app, workspace+" && go mod tidy && go run .")
}

// complete makes a file of a piece of code, which declares functions or is the body of one.
func complete(code string) string {
	var imports strings.Builder
	const locks = "*manager.Manager[treelock.Path]"
	if !strings.HasPrefix(code, "func") {
		code = "func _(ctx context.Context, m " + locks + ", key string) error {\n" + code + "return nil\n}\n"
	}
	if strings.Contains(code, "serve(ctx, m)") {
		code += "func serve(context.Context, " + locks + ") {}\n" +
			"func TestRun(t *testing.T) { if err := run(t.Context()); err != nil { t.Error(err) } }\n"
	}
	for name, folder := range map[string]string{
		"context": "", "errors": "", "fmt": "", "strings": "", "testing": "", "time": "", "synctest": "testing/",
		"treelock": "github.com/treelock/", "manager": module + "/", "metrics": module + "/manager/",
	} {
		if regexp.MustCompile(`\b` + name + `\.\w`).MatchString(code) {
			fmt.Fprintf(&imports, "import %q\n", folder+name)
		}
	}
	return "package a\n" + imports.String() + code
}

// evaluate returns the request that code such as treelock.Read("/a").Write("/b", "/c") makes.
func evaluate(t *testing.T, code string) (req treelock.Request[treelock.Path]) {
	t.Helper()
	expr, err := parser.ParseExpr(code)
	if err != nil {
		t.Fatalf("%s: %v", code, err)
	}
	for {
		call, ok := expr.(*ast.CallExpr)
		if !ok {
			return req
		}
		f, paths := call.Fun.(*ast.SelectorExpr), []treelock.Path(nil)
		for _, arg := range call.Args {
			paths = append(paths, treelock.Path(strings.Trim(arg.(*ast.BasicLit).Value, `"`)))
		}
		switch f.Sel.Name {
		case "Read":
			req = req.Read(paths...)
		case "Write":
			req = req.Write(paths...)
		case "ReadNode":
			req = req.ReadNode(paths...)
		case "WriteNode":
			req = req.WriteNode(paths...)
		default:
			t.Fatalf("%s: there is no claim %s", code, f.Sel.Name)
		}
		expr = f.X
	}
}

var (
	row  = regexp.MustCompile("(?m)^\\| (list|read|overwrite|create or delete|rename|copy) .*? \\| `(.*?)` \\| `(.*?)` \\|$")
	trap = regexp.MustCompile("The trap: `(.*?)` does not\\s+keep\\s+out\\s+`(.*?)`")
)

// The table of what to claim, as requests to a manager: which operations exclude each other.
func TestRecipesExcludeWhatTheyMust(t *testing.T) {
	m, readme := manager.Start(t.Context()), read(t, "README.md")
	conflict := func(a, b string) bool {
		held, err := m.TryAcquire(t.Context(), evaluate(t, a))
		if err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		defer held.Release()
		grant, err := m.TryAcquire(t.Context(), evaluate(t, b))
		grant.Release()
		return err != nil
	}
	rows := row.FindAllStringSubmatch(readme, -1)
	if len(rows) != 6 {
		t.Fatalf("%d recipes, want 6: %q", len(rows), rows)
	}
	together := [][]string{ // the operations that may run together, by column
		1: {"list list", "list read", "read read", "list copy", "read copy"},
		2: {"list list", "list read", "read read", "list copy", "read copy", "list overwrite"},
	}
	for column := 1; column <= 2; column++ {
		for i, a := range rows {
			for _, b := range rows[i:] {
				want := !slices.Contains(together[column], a[1]+" "+b[1])
				if got := conflict(a[column+1], b[column+1]); got != want {
					t.Errorf("column %d: conflict of %s and %s = %t, want %t", column, a[1], b[1], got, want)
				}
			}
		}
	}
	for _, change := range rows[4:] { // a list of /e keeps out what adds a file there
		for column, list := range rows[0][2:] {
			list = strings.ReplaceAll(list, "/d", "/e")
			if adds := change[2+column]; !conflict(list, adds) {
				t.Errorf("%s does not keep out %s", list, adds)
			}
		}
	}
	if pair := trap.FindStringSubmatch(readme); pair == nil || conflict(pair[1], pair[2]) {
		t.Errorf("README has no trap, or it is none: %q", pair)
	}
}

// README has some of the figures in docs/figures.md, where examples/speed put them.
func TestFiguresOfReadmeAreMeasured(t *testing.T) {
	figures := func(name string) (rows [][]string) {
		_, table, _ := strings.Cut(read(t, name), "\n| acquire and release,")
		table, _, _ = strings.Cut(table, "\n\n")
		for row := range strings.Lines(table) {
			cells := strings.Split(strings.Trim(row, "|\n"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			rows = append(rows, cells)
		}
		return rows
	}
	shown, measured := figures("README.md"), figures("docs/figures.md")
	for i, row := range shown {
		all := slices.IndexFunc(measured, func(m []string) bool { return m[0] == row[0] })
		for j, cell := range row {
			column := slices.Index(measured[0], shown[0][j])
			if all < 0 || column < 0 || i != 1 && measured[all][column] != cell {
				t.Errorf("README has %q at %q, %q, and docs/figures.md does not", cell, row[0], shown[0][j])
			}
		}
	}
	if len(shown) < 2+5 {
		t.Errorf("README has %d rows of figures, want at least 5", len(shown)-2)
	}
}
