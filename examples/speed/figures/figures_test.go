package figures_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock/examples/speed/figures"
)

const output = `goos: linux
cpu: Some Processor
BenchmarkLock/impl=echo/clients=1-2    	  100	  300 ns/op	  0 B/op	  0 allocs/op
BenchmarkHandOver/clients=32-2         	  100	  900 ns/op	  83091 max-ns	  16157 p99.9-ns
PASS
BenchmarkLock/impl=echo/clients=1-2    	  100	  100 ns/op	  0 B/op	  0 allocs/op
BenchmarkHandOver/clients=32-2         	  100	  200 ns/op	  93091 max-ns	  16157 p99.9-ns
ok  	github.com/treelock/treelock/manager	1.2s
BenchmarkLock/impl=echo/clients=1-2    	  100	  200 ns/op	  0 B/op	  0 allocs/op
BenchmarkHandOver/clients=32-2         	  100	  800 ns/op	  63091 max-ns	  16157 p99.9-ns
`

func read(t *testing.T, text string) *figures.Set {
	t.Helper()
	set, err := figures.Read(strings.NewReader(text))
	if err != nil {
		t.Fatalf("Read = %v, want no error", err)
	}
	return set
}

var (
	echo     = figures.Figure{Name: "Lock/impl=echo/clients=1", Unit: figures.Time}
	handOver = figures.Figure{Name: "HandOver/clients=32", Unit: figures.Time}
)

func TestEveryUnitOfEveryBenchmarkIsAFigure(t *testing.T) {
	set := read(t, output)
	var got []string
	for _, f := range set.Figures {
		got = append(got, f.Name+" "+f.Unit)
	}
	want := []string{
		"Lock/impl=echo/clients=1 ns/op", "Lock/impl=echo/clients=1 B/op", "Lock/impl=echo/clients=1 allocs/op",
		"HandOver/clients=32 ns/op", "HandOver/clients=32 max-ns", "HandOver/clients=32 p99.9-ns",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the figures differ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"goos": "linux", "cpu": "Some Processor"}, set.Config); diff != "" {
		t.Errorf("the configuration differs (-want +got):\n%s", diff)
	}
}

func TestFigureIsTheMedianOfItsRounds(t *testing.T) {
	got, ok := read(t, output).Of(echo)
	if !ok || got.Median != 200 || got.N != 3 {
		t.Errorf("Of(echo) = %+v, %t, want the median 200 of 3", got, ok)
	}
	if got, ok := read(t, output).Of(figures.Figure{Name: "Lock", Unit: figures.Time}); ok {
		t.Errorf("Of(what was not measured) = %+v, want nothing", got)
	}
}

// The ratio of the medians would be 800 to 200; the rounds say 3, 2 and 4.
func TestRatioIsTakenWithinEachRound(t *testing.T) {
	got, ok := read(t, output).Ratio(handOver, echo)
	if !ok || got.Median != 3 {
		t.Errorf("Ratio = %+v, %t, want the median 3", got, ok)
	}
}

func TestRatioIsNotKnownWithoutPairs(t *testing.T) {
	allocs := figures.Figure{Name: echo.Name, Unit: figures.Allocs}
	set := read(t, output+"BenchmarkLock/impl=echo/clients=1-2 100 250 ns/op\n")
	for name, pair := range map[string][2]figures.Figure{
		"another number of rounds": {handOver, echo},
		"not measured":             {{Name: "Live", Unit: figures.Time}, echo},
		"nothing to compare with":  {echo, {Name: "Live", Unit: figures.Time}},
		"base of zero":             {allocs, allocs},
	} {
		if got, ok := set.Ratio(pair[0], pair[1]); ok {
			t.Errorf("%s: Ratio = %+v, want nothing", name, got)
		}
	}
}

func TestConfidenceNeedsSixRounds(t *testing.T) {
	values := []float64{5, 1, 4, 2, 3}
	few := figures.Summarize(values)
	if few.Median != 3 || !math.IsInf(few.Spread(), 1) {
		t.Errorf("Summarize(5 values) = %+v, want the median 3 and no confidence", few)
	}
	if values[0] != 5 {
		t.Errorf("Summarize has changed its values to %v", values)
	}
	enough := figures.Summarize([]float64{100, 101, 102, 103, 104, 105})
	if enough.Lo != 100 || enough.Hi != 105 || enough.Spread() > 0.03 {
		t.Errorf("Summarize(6 values) = %+v, spread %v, want 100 to 105", enough, enough.Spread())
	}
}

func TestSpreadOfEqualValuesIsZero(t *testing.T) {
	for _, value := range []float64{0, 7} {
		same := figures.Summarize([]float64{value, value, value, value, value, value})
		if got := same.Spread(); got != 0 {
			t.Errorf("Spread of six times %v = %v, want 0", value, got)
		}
	}
}

func TestTextWithoutResultsIsAnError(t *testing.T) {
	if _, err := figures.Read(strings.NewReader("PASS\n")); !errors.Is(err, figures.ErrNoFigures) {
		t.Errorf("Read = %v, want ErrNoFigures", err)
	}
}

func TestDifferentNumbersOfProcessorsAreNotMixed(t *testing.T) {
	_, err := figures.Read(strings.NewReader("BenchmarkX-2 1 1 ns/op\nBenchmarkX-4 1 1 ns/op\n"))
	if err == nil || !strings.Contains(err.Error(), "different numbers of processors") {
		t.Errorf("Read = %v, want an error about processors", err)
	}
}

func TestBrokenResultIsAnError(t *testing.T) {
	if _, err := figures.Read(strings.NewReader("BenchmarkX-2 1 one ns/op\n")); err == nil {
		t.Error("Read(a result without a number) = nil, want an error")
	}
}

func TestPartIsTheValueOfAKeyInTheName(t *testing.T) {
	for _, test := range []struct{ key, want string }{{"clients", "1"}, {"impl", "echo"}, {"Lock", ""}, {"depth", ""}} {
		if got, ok := echo.Part(test.key); got != test.want || ok != (test.want != "") {
			t.Errorf("Part(%s) = %q, %t, want %q", test.key, got, ok, test.want)
		}
	}
}
