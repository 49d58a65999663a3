package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/treelock/treelock/examples/speed/figures"
)

// quantity writes a value with its unit as people read it.
func quantity(value float64, unit string) string {
	switch {
	case unit == figures.Time || strings.HasSuffix(unit, "-ns"):
		return duration(value)
	case unit == "B" || strings.HasPrefix(unit, "B/"):
		return size(value)
	}
	return number(value)
}

func duration(ns float64) string {
	switch {
	case ns >= 1e9:
		return number(ns/1e9) + " s"
	case ns >= 1e6:
		return number(ns/1e6) + " ms"
	case ns >= 1e5:
		return number(ns/1e3) + " µs"
	}
	return number(ns) + " ns"
}

func size(b float64) string {
	switch {
	case b >= 1<<20:
		return number(b/(1<<20)) + " MiB"
	case b >= 100<<10:
		return number(b/(1<<10)) + " KiB"
	}
	return number(b) + " B"
}

// number writes three digits, or all that are before the point.
func number(value float64) string {
	switch abs := math.Abs(value); {
	case abs >= 100:
		return digits(int(math.Round(value)))
	case abs >= 10:
		return strconv.FormatFloat(value, 'f', 1, 64)
	case value == math.Trunc(value):
		return strconv.FormatFloat(value, 'f', 0, 64)
	}
	return strconv.FormatFloat(value, 'f', 2, 64)
}

// digits writes n with commas.
func digits(n int) string {
	if n < 0 {
		return "-" + digits(-n)
	}
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", digits(n/1000), n%1000)
}

// plural writes n with a noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return digits(n) + " " + noun + "s"
}

// spread writes how sure a summary is. It is empty if that is not known.
func spread(s figures.Summary) string {
	if part := s.Spread(); !math.IsInf(part, 0) && !math.IsNaN(part) {
		return fmt.Sprintf(" ±%.0f%%", 100*part)
	}
	return ""
}

// measured writes what the goal is about.
func (j Judgement) measured() string {
	switch {
	case j.Verdict == NotMeasured:
		return "–"
	case j.To != figures.Figure{}:
		return fmt.Sprintf("%.2fx", j.Measured.Median) + spread(j.Measured)
	}
	return quantity(j.Measured.Median, j.Of.Unit) + spread(j.Measured)
}

// limit writes what the goal is.
func (g Goal) limit() string {
	sign := "≤ "
	if g.AtLeast {
		sign = "≥ "
	}
	if g.To != (figures.Figure{}) {
		return sign + strconv.FormatFloat(g.Limit, 'g', -1, 64) + "x"
	}
	return sign + quantity(g.Limit, g.Of.Unit)
}
