package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock/examples/speed/figures"
)

// setOf returns what is measured in so many rounds in which each benchmark takes what is said.
func setOf(t *testing.T, rounds int, nanoseconds map[string]float64) *figures.Set {
	t.Helper()
	var text strings.Builder
	for range rounds {
		for name, ns := range nanoseconds {
			fmt.Fprintf(&text, "Benchmark%s-2 10 %v ns/op\n", name, ns)
		}
	}
	set, err := figures.Read(strings.NewReader(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func recorded(t *testing.T) *figures.Set {
	t.Helper()
	file, err := os.Open("../testdata/bench.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	set, err := figures.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestVerdictGoesByTheMedianAndTheLimit(t *testing.T) {
	set := setOf(t, 6, map[string]float64{"Fast": 100, "Slow": 130})
	fast, slow, missing := ns("Fast"), ns("Slow"), ns("Missing")
	for _, test := range []struct {
		what     string
		goal     Goal
		want     Verdict
		measured string
	}{
		{"at the limit", Goal{Of: slow, To: fast, Limit: 1.3}, Met, "1.30x ±0%"},
		{"above the limit", Goal{Of: slow, To: fast, Limit: 1.2}, Missed, "1.30x ±0%"},
		{"at least, above", Goal{Of: slow, To: fast, Limit: 1.2, AtLeast: true}, Met, "1.30x ±0%"},
		{"at least, below", Goal{Of: fast, To: slow, Limit: 0.9, AtLeast: true}, Missed, "0.77x ±0%"},
		{"alone, met", Goal{Of: slow, Limit: 131}, Met, "130 ns ±0%"},
		{"alone, missed", Goal{Of: slow, Limit: 129}, Missed, "130 ns ±0%"},
		{"not measured", Goal{Of: missing, Limit: 1}, NotMeasured, "–"},
		{"nothing to compare with", Goal{Of: slow, To: missing, Limit: 9}, NotMeasured, "–"},
	} {
		j := test.goal.Judge(set)
		if j.Verdict != test.want || j.measured() != test.measured {
			t.Errorf("%s: Judge = %q, %q, want %q, %q", test.what, j.Verdict, j.measured(), test.want, test.measured)
		}
	}
}

func TestQuantitiesAreWrittenForPeople(t *testing.T) {
	for _, test := range []struct {
		value      float64
		unit, want string
	}{
		{12.79, "ns/op", "12.8 ns"},
		{664.1, "ns/op", "664 ns"},
		{99_999, "max-ns", "99,999 ns"},
		{306_358, "max-ns", "306 µs"},
		{3_458_326, "ns/op", "3.46 ms"},
		{2e9, "ns/op", "2 s"},
		{554.9, "B/request", "555 B"},
		{4096, "B/stack", "4,096 B"},
		{200 << 10, "B/queue", "200 KiB"},
		{6852960, "B/queue", "6.54 MiB"},
		{0, "allocs/op", "0"},
		{0.5, "allocs/op", "0.50"},
		{1_234_567, "allocs/op", "1,234,567"},
		{-1234, "difference", "-1,234"},
	} {
		if got := quantity(test.value, test.unit); got != test.want {
			t.Errorf("quantity(%v, %s) = %q, want %q", test.value, test.unit, got, test.want)
		}
	}
}

func TestTableLeavesOutWhatWasNotMeasured(t *testing.T) {
	table := table{"Title", []string{"clients", "a", "b", "c"}, []row{
		{"1", []figures.Figure{ns("A/1"), ns("B/1"), ns("C/1")}},
		{"2", []figures.Figure{ns("A/2"), ns("B/2"), ns("C/2")}},
		{"3", []figures.Figure{ns("A/3"), ns("B/3"), ns("C/3")}},
	}}
	var b strings.Builder
	table.write(&b, setOf(t, 1, map[string]float64{"A/1": 100, "C/1": 200, "C/3": 300}))
	want := "\n## Title\n\n| clients | a | c |\n|---|---:|---:|\n| 1 | 100 ns | 200 ns |\n| 3 |  | 300 ns |\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("the table differs (-want +got):\n%s", diff)
	}
	b.Reset()
	if table.write(&b, setOf(t, 1, map[string]float64{"Else": 1})); b.Len() > 0 {
		t.Errorf("a table of nothing is %q, want nothing", &b)
	}
}

func TestConfidenceIsShownWhereThereIsOne(t *testing.T) {
	for rounds, want := range map[int]string{5: "100 ns", 6: "100 ns ±0%"} {
		if got, _ := cell(setOf(t, rounds, map[string]float64{"A": 100}), ns("A")); got != want {
			t.Errorf("after %d rounds the cell is %q, want %q", rounds, got, want)
		}
	}
}

func TestEverythingInTheReportIsMeasured(t *testing.T) {
	named := make(map[string]bool)
	for _, name := range Names() {
		if named[name] {
			t.Errorf("%s is named twice", name)
		}
		named[name] = true
	}
	for _, c := range []chart{clientsChart(), depthChart(), flatChart()} {
		for _, l := range c.lines {
			points := 0
			for _, x := range c.ticks {
				if named[l.at(x).Name] {
					points++
				}
			}
			if points < 3 {
				t.Errorf("%s: only %d points of %q are in tables", c.name, points, l.says)
			}
		}
	}
	set := recorded(t)
	for _, g := range Goals() {
		if j := g.Judge(set); j.Verdict == NotMeasured {
			t.Errorf("%q is not in the recorded figures", g.What)
		}
	}
}

func TestPlotsAreWellFormed(t *testing.T) {
	plots, err := Plots(recorded(t))
	if err != nil {
		t.Fatalf("Plots = %v, want no error", err)
	}
	var names []string
	for _, p := range plots {
		names = append(names, p.Name)
		decoder := xml.NewDecoder(bytes.NewReader(p.Data))
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s is not well-formed: %v", p.Name, err)
			}
		}
	}
	if diff := cmp.Diff([]string{"clients.svg", "depth.svg", "flat.svg"}, names); diff != "" {
		t.Errorf("the plots differ (-want +got):\n%s", diff)
	}
	for _, says := range []string{"batch echo (the floor)", "treelock", "map of RWMutexes", "one RWMutex", "clients", "ns per acquire and release (log)", "Liberation Sans,Arial"} {
		if !bytes.Contains(plots[0].Data, []byte(says)) {
			t.Errorf("%s does not say %q", plots[0].Name, says)
		}
	}
}

func TestTooFewFiguresAreNotDrawn(t *testing.T) {
	for name, ns := range map[string]map[string]float64{
		"other figures": {"Else": 1},
		"one point":     {batchEcho(32).Name: 1},
		"only zeros":    {batchEcho(1).Name: 0, batchEcho(32).Name: 0},
	} {
		// The echo is a level line in the plot by depth, whatever else there is.
		set := setOf(t, 1, ns)
		svg, err := clientsChart().draw(set)
		if svg != nil || err != nil {
			t.Errorf("%s: the plot has %d bytes, %v, want none", name, len(svg), err)
		}
	}
}
