// Package report says in tables and plots what was measured, and which goals are met.
package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/treelock/treelock/examples/speed/figures"
)

// The keys of the configuration that speed itself writes at the head of its measurements.
const (
	KeyCommand = "command"
	KeyGo      = "go"
	KeyProcs   = "gomaxprocs"
	KeyDate    = "date"
	KeyRounds  = "rounds"
	KeyTime    = "benchtime"
)

// Markdown writes the report on a set.
func Markdown(w io.Writer, set *figures.Set) error {
	var b strings.Builder
	head(&b, set)
	goals(&b, set)
	for _, t := range tables() {
		t.write(&b, set)
	}
	all(&b, set)
	_, err := io.WriteString(w, b.String())
	return err
}

// head says what was measured where, as far as it is known.
func head(b *strings.Builder, set *figures.Set) {
	b.WriteString("# What it costs\n\n")
	for _, line := range []struct{ says, key string }{
		{"command", KeyCommand}, {"date", KeyDate}, {"Go", KeyGo}, {"processor", "cpu"}, {"system", "goos"},
		{"architecture", "goarch"}, {"GOMAXPROCS", KeyProcs}, {"rounds", KeyRounds}, {"time for each benchmark", KeyTime},
	} {
		if value := set.Config[line.key]; value != "" {
			fmt.Fprintf(b, "- %s: %s\n", line.says, value)
		}
	}
	b.WriteString("\nAll figures are medians over the rounds; ± is the confidence interval of 95%, if there are rounds enough for one. " +
		"Ratios are\ntaken within each round. With many clients, a time is the time by the clock for each operation of all clients together.\n")
}

func goals(b *strings.Builder, set *figures.Set) {
	counts := make(map[Verdict]int)
	var rows [][]string
	for _, g := range Goals() {
		j := g.Judge(set)
		counts[j.Verdict]++
		rows = append(rows, []string{g.What, j.measured(), g.limit(), string(j.Verdict)})
	}
	fmt.Fprintf(b, "\n## Goals: %d %s, %d %s", counts[Met], Met, counts[Missed], Missed)
	if n := counts[NotMeasured]; n > 0 {
		fmt.Fprintf(b, ", %d %s", n, NotMeasured)
	}
	b.WriteString("\n\n")
	grid(b, []string{"goal", "measured", "limit", ""}, rows)
}

// write writes a table, without the rows and columns of which nothing was measured, or nothing at all.
func (t table) write(b *strings.Builder, set *figures.Set) {
	var used []int
	for column := range t.header[1:] {
		for _, r := range t.rows {
			if _, ok := set.Of(r.cells[column]); ok {
				used = append(used, column)
				break
			}
		}
	}
	if len(used) == 0 {
		return
	}
	header := []string{t.header[0]}
	for _, column := range used {
		header = append(header, t.header[1+column])
	}
	var rows [][]string
	for _, r := range t.rows {
		cells, known := []string{r.says}, false
		for _, column := range used {
			cell, ok := cell(set, r.cells[column])
			cells, known = append(cells, cell), known || ok
		}
		if known {
			rows = append(rows, cells)
		}
	}
	fmt.Fprintf(b, "\n## %s\n\n", t.title)
	grid(b, header, rows)
}

// cell writes what was measured of a figure.
func cell(set *figures.Set, f figures.Figure) (text string, ok bool) {
	s, ok := set.Of(f)
	if !ok {
		return "", false
	}
	return quantity(s.Median, f.Unit) + spread(s), true
}

// all writes every figure there is.
func all(b *strings.Builder, set *figures.Set) {
	var rows [][]string
	for _, f := range set.Figures {
		text, _ := cell(set, f)
		rows = append(rows, []string{"`" + f.Name + "`", f.Unit, text})
	}
	b.WriteString("\n## All figures\n\n")
	grid(b, []string{"benchmark", "unit", "median"}, rows)
}

// grid writes a Markdown table. The first column is text, the others are numbers.
func grid(b *strings.Builder, header []string, rows [][]string) {
	line := func(cells []string) { fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | ")) }
	line(header)
	b.WriteString("|---" + strings.Repeat("|---:", len(header)-1) + "|\n")
	for _, cells := range rows {
		line(cells)
	}
}
