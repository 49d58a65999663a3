// Package figures reads what benchmarks have printed, and says how sure one can be of it.
package figures

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
)

// The units that are asked for by name. Benchmarks may report others.
const (
	Time   = "ns/op"
	Allocs = "allocs/op"
)

// A Figure names what was measured: a unit of a benchmark. The name is the benchmark's without "Benchmark" and the
// number of processors: Lock/impl=echo/clients=32.
type Figure struct {
	Name string
	Unit string
}

// A Set is what some rounds of benchmarks have measured. In each round every benchmark was run once, so the values of two
// figures from one round were measured within minutes.
type Set struct {
	// Config is what the output says about the run, by key: goos, cpu and so on.
	Config map[string]string
	// Figures are all figures in the order in which they were first measured.
	Figures []Figure

	values map[Figure][]float64 // in the order of the rounds
}

// ErrNoFigures says that there is no result of any benchmark in a text.
var ErrNoFigures = errors.New("speed: there are no results of benchmarks")

// Read reads the output of any number of rounds. Lines that belong to no benchmark are passed over. Results of one
// benchmark with different numbers of processors are an error, as they are of different things.
func Read(r io.Reader) (*Set, error) {
	s := &Set{Config: make(map[string]string), values: make(map[Figure][]float64)}
	procs := make(map[string]string) // by name of the benchmark
	reader := benchfmt.NewReader(r, "benchmarks")
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.Result:
			name, p := split(record.Name)
			if before, ok := procs[name]; ok && before != p {
				return nil, fmt.Errorf("speed: %s was measured with different numbers of processors: keep them apart", name)
			}
			procs[name] = p
			s.add(name, record)
		case *benchfmt.SyntaxError:
			return nil, fmt.Errorf("speed: the output of a benchmark cannot be read: %w", record)
		}
	}
	if err := reader.Err(); err != nil {
		return nil, fmt.Errorf("speed: the output of the benchmarks cannot be read: %w", err)
	}
	if len(s.Figures) == 0 {
		return nil, ErrNoFigures
	}
	return s, nil
}

// split takes the number of processors from the name of a benchmark.
func split(full benchfmt.Name) (name, procs string) {
	base, parts := full.Parts()
	name = string(base)
	for _, part := range parts {
		if part[0] == '-' {
			procs = string(part)
			continue
		}
		name += string(part)
	}
	return name, procs
}

func (s *Set) add(name string, result *benchfmt.Result) {
	for _, config := range result.Config {
		s.Config[config.Key] = string(config.Value)
	}
	for _, v := range result.Values {
		value, unit := v.Value, v.Unit
		if v.OrigUnit != "" { // benchfmt has made seconds of nanoseconds
			value, unit = v.OrigValue, v.OrigUnit
		}
		f := Figure{name, unit}
		if _, ok := s.values[f]; !ok {
			s.Figures = append(s.Figures, f)
		}
		s.values[f] = append(s.values[f], value)
	}
}

// A Summary is the median of some values, and how far from it the true one may be.
type Summary struct {
	Median float64
	// Lo and Hi hold the true median with a confidence of 95% between them. They are infinite if there are too few
	// values to say so, which is the case below six.
	Lo, Hi float64
	N      int
}

// Spread returns the larger distance of Lo and Hi from the median, as a part of it: +Inf if it is not known.
func (s Summary) Spread() float64 {
	if s.Median == s.Lo && s.Median == s.Hi {
		return 0 // the median may be 0, too
	}
	return max(s.Hi-s.Median, s.Median-s.Lo) / math.Abs(s.Median)
}

// Summarize returns what values say, in whatever order.
func Summarize(values []float64) Summary {
	sample := benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
	sum := benchmath.AssumeNothing.Summary(sample, 0.95)
	return Summary{sum.Center, sum.Lo, sum.Hi, len(values)}
}

// Of returns what was measured for f, if it was.
func (s *Set) Of(f Figure) (_ Summary, ok bool) {
	values := s.values[f]
	if len(values) == 0 {
		return Summary{}, false
	}
	return Summarize(values), true
}

// Ratio returns how f compares with base: the median of the ratios in each round, so that a slow minute, which both had,
// takes no part. It is not known if one of them was not measured, in another number of rounds, or if base is ever 0.
func (s *Set) Ratio(f, base Figure) (_ Summary, ok bool) {
	values, bases := s.values[f], s.values[base]
	if len(values) == 0 || len(values) != len(bases) || slices.Contains(bases, 0) {
		return Summary{}, false
	}
	ratios := make([]float64, len(values))
	for i := range values {
		ratios[i] = values[i] / bases[i]
	}
	return Summarize(ratios), true
}

// Part returns the value of a key in the name of a benchmark: 32 for clients in Lock/impl=echo/clients=32.
func (f Figure) Part(key string) (value string, ok bool) {
	for part := range strings.SplitSeq(f.Name, "/") {
		if k, v, found := strings.Cut(part, "="); found && k == key {
			return v, true
		}
	}
	return "", false
}
