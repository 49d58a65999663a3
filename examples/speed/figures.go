package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
	"golang.org/x/perf/benchunit"
)

// figures has the values of each benchmark and unit in the order of the rounds. Units are tidied:
// what a benchmark prints as ns/op is sec/op.
type figures struct {
	values map[string][]float64 // by name and unit: Lock/impl=echo/clients=32-2 sec/op
	last   *benchfmt.Result     // has the configuration
}

// read returns what benchmarks printed. It skips lines that it cannot read, which are those of a
// benchmark that failed or was interrupted.
func read(r io.Reader) (figures, error) {
	f := figures{values: make(map[string][]float64)}
	lines := benchfmt.NewReader(r, "the output of the benchmarks")
	for lines.Scan() {
		record, ok := lines.Result().(*benchfmt.Result)
		if !ok {
			continue
		}
		f.last = record.Clone()
		for _, v := range record.Values {
			key := implLast.ReplaceAllString(fmt.Sprint(record.Name, " ", v.Unit), "$1$3$2$4")
			f.values[key] = append(f.values[key], v.Value)
		}
	}
	return f, lines.Err()
}

// optional are the parts of a name that an implementation leaves out if it does not know them.
var optional = regexp.MustCompile(`/(op|nodes|depth)=\w+`)

// implLast matches a name whose last part is the implementation, and the unit.
var implLast = regexp.MustCompile(`^([^/]+)(/.+)(/impl=[^/ ]+?)((-\d+)? .*)$`)

// of returns the values of a benchmark of an implementation, by the name that it has without one.
func (f figures) of(impl, name, unit string) []float64 {
	kind, rest, _ := strings.Cut(name, "/")
	rest = optional.ReplaceAllString("/"+rest, "($0)?")
	pattern := regexp.MustCompile(fmt.Sprintf(`^%s/impl=%s%s(-\d+)? %s$`, kind, impl, rest, unit))
	for key, values := range f.values {
		if pattern.MatchString(key) {
			return values
		}
	}
	return nil
}

// median returns the median of values and its 95% confidence interval.
func median(values []float64) benchmath.Summary {
	sample := benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds) // it sorts them
	return benchmath.AssumeNothing.Summary(sample, 0.95)
}

// text returns the median of values with its 95% confidence interval, like 324.0ns ±2%. Without
// values it returns nothing, with fewer than six it leaves out the interval.
func text(values []float64, unit string) string {
	if len(values) == 0 {
		return ""
	}
	m := median(values)
	s := benchunit.Scale(m.Center, benchunit.ClassOf(unit))
	switch {
	case strings.Contains(unit, "sec"):
		s += "s"
	case strings.HasPrefix(unit, "B/"):
		s += "B"
	case unit == "/s":
		s += unit
	case unit == "watches", unit == "events/release":
		s = fmt.Sprintf("%.4g", m.Center)
	default:
		s = fmt.Sprintf("%.2f%s", m.Center, unit)
	}
	if spread := m.PctRangeString(); strings.HasSuffix(spread, "%") {
		s += " ±" + spread
	}
	return s
}
