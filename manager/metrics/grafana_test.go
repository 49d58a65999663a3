package metrics_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/treelock/treelock/manager/metrics"
)

// A dashboard is what the tests look at in grafana.json.
type dashboard struct {
	Title      string
	Panels     []panel
	Templating struct{ List []variable }
}

type panel struct {
	ID         int
	Title      string
	Datasource datasource
	GridPos    struct{ X, Y, W, H int }
	Targets    []target
}

type target struct {
	RefID        string
	Datasource   datasource
	Expr         string
	LegendFormat string
}

type variable struct {
	Name, Type, Query, AllValue string
	Datasource                  datasource
}

type datasource struct{ Type, UID string }

// theDatasource is the one that is chosen when the dashboard is looked at.
var theDatasource = datasource{"prometheus", "${datasource}"}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	text, err := os.ReadFile("grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Panels) == 0 {
		t.Fatal("the dashboard has no panels")
	}
	return d
}

// TestTheDashboardShowsWhatThereIs compares the names in its queries with those of the collector, both ways.
func TestTheDashboardShowsWhatThereIs(t *testing.T) {
	families := gather(t, fixed{}, metrics.WithName("folders"))
	familyOf, shown := samples(families), map[string]bool{}
	for _, panel := range readDashboard(t).Panels {
		if len(panel.Targets) == 0 {
			t.Errorf("%s: there are no queries", panel.Title)
		}
		for _, target := range panel.Targets {
			for _, name := range metricsIn(t, target.Expr) {
				if familyOf[name] == "" {
					t.Errorf("%s: the collector has no %s: %s", panel.Title, name, target.Expr)
				}
				shown[familyOf[name]] = true
			}
		}
	}
	for _, family := range families {
		if !shown[family.GetName()] {
			t.Errorf("no panel shows %s", family.GetName())
		}
	}
}

// samples returns, by the name of each series, the name of its metric.
func samples(families []*dto.MetricFamily) map[string]string {
	names := map[string]string{}
	for _, family := range families {
		name := family.GetName()
		if family.GetType() != dto.MetricType_HISTOGRAM {
			names[name] = name
			continue
		}
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			names[name+suffix] = name
		}
	}
	return names
}

var (
	selector  = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)\{([^}]*)\}`)
	grouping  = regexp.MustCompile(`\bby *\(([^)]*)\)`)
	timeRange = regexp.MustCompile(`\[[^]]*\]`)
	word      = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*( *\()?`)
	inLegend  = regexp.MustCompile(`\{\{([^}]*)\}\}`)
)

// metricsIn returns the names of the metrics in a query. Each must be narrowed to the managers that were chosen, by the same braces; so
// whatever else is a name must be a function.
func metricsIn(t *testing.T, expr string) (names []string) {
	t.Helper()
	for _, found := range selector.FindAllStringSubmatch(expr, -1) {
		names = append(names, found[1])
		if found[2] != `manager=~"$manager"` {
			t.Errorf("%s is narrowed to {%s}, not to the managers that were chosen: %s", found[1], found[2], expr)
		}
	}
	if len(names) == 0 {
		t.Errorf("a query without a metric: %s", expr)
	}
	for _, re := range []*regexp.Regexp{selector, grouping, timeRange} {
		expr = re.ReplaceAllString(expr, "")
	}
	for _, name := range word.FindAllString(expr, -1) {
		if !strings.HasSuffix(name, "(") {
			t.Errorf("%s is neither a function nor a metric of the managers that were chosen", name)
		}
	}
	return names
}

// TestTheDashboardsLegendsSayWhatTheLinesAre: a line is told by the labels that it was grouped by, and quantiles need le.
func TestTheDashboardsLegendsSayWhatTheLinesAre(t *testing.T) {
	for _, panel := range readDashboard(t).Panels {
		for _, target := range panel.Targets {
			for _, found := range grouping.FindAllStringSubmatch(target.Expr, -1) {
				labels := strings.Split(found[1], ", ")
				if le := slices.Index(labels, "le"); le >= 0 {
					labels = slices.Delete(labels, le, le+1)
				} else if strings.Contains(target.Expr, "histogram_quantile") {
					t.Errorf("%s: quantiles without le: %s", panel.Title, target.Expr)
				}
				var legend []string
				for _, label := range inLegend.FindAllStringSubmatch(target.LegendFormat, -1) {
					legend = append(legend, label[1])
				}
				if !slices.Equal(labels, legend) {
					t.Errorf("%s: the legend tells %q, but the lines are told apart by %q", panel.Title, legend, labels)
				}
			}
		}
	}
}

// TestTheDashboardAsksForItsVariables: nothing in it belongs to one Grafana.
func TestTheDashboardAsksForItsVariables(t *testing.T) {
	d := readDashboard(t)
	variables := map[string]variable{}
	for _, v := range d.Templating.List {
		variables[v.Name] = v
	}
	if v := variables["datasource"]; v.Type != "datasource" || v.Query != "prometheus" {
		t.Errorf("variable datasource = %+v, want one for a Prometheus data source", v)
	}
	// All is any value, and none: a manager without a name has no label.
	if v := variables["manager"]; v.Type != "query" || v.AllValue != ".*" || v.Datasource != theDatasource {
		t.Errorf("variable manager = %+v, want a query to the data source, and .* for all", v)
	}
	name, ok := strings.CutPrefix(variables["manager"].Query, "label_values(")
	name, ok2 := strings.CutSuffix(name, ", manager)")
	if !ok || !ok2 || samples(gather(t, fixed{}))[name] == "" {
		t.Errorf("variable manager asks for %s, want the values of the label manager of a metric of the collector", variables["manager"].Query)
	}
	for _, panel := range d.Panels {
		if panel.Datasource != theDatasource {
			t.Errorf("%s: data source %v, want %v", panel.Title, panel.Datasource, theDatasource)
		}
		for _, target := range panel.Targets {
			if target.Datasource != theDatasource {
				t.Errorf("%s: data source %v of a query, want %v", panel.Title, target.Datasource, theDatasource)
			}
		}
	}
}

// TestTheDashboardsPanelsHavePlacesOfTheirOwn, on a page that is 24 wide, and names.
func TestTheDashboardsPanelsHavePlacesOfTheirOwn(t *testing.T) {
	ids, cells := map[int]string{}, map[[2]int]string{}
	for _, panel := range readDashboard(t).Panels {
		if other, ok := ids[panel.ID]; ok || panel.ID == 0 || panel.Title == "" {
			t.Errorf("panel %q has the ID %d, which %q has too, or no title or ID", panel.Title, panel.ID, other)
		}
		ids[panel.ID] = panel.Title

		refs := map[string]bool{"": true}
		for _, target := range panel.Targets {
			if refs[target.RefID] {
				t.Errorf("%s: two queries have the name %q, or one has none", panel.Title, target.RefID)
			}
			refs[target.RefID] = true
		}

		at := panel.GridPos
		if at.W <= 0 || at.H <= 0 || at.X < 0 || at.X+at.W > 24 {
			t.Errorf("%s: is at %+v, which is not on the page", panel.Title, at)
		}
		for x := at.X; x < at.X+at.W; x++ {
			for y := at.Y; y < at.Y+at.H; y++ {
				if other, ok := cells[[2]int{x, y}]; ok {
					t.Fatalf("%s and %s overlap", panel.Title, other)
				}
				cells[[2]int{x, y}] = panel.Title
			}
		}
	}
}

// TestTheDocumentationNamesWhatThereIs: all metrics are in the list there, and its alerts use no others.
func TestTheDocumentationNamesWhatThereIs(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	families := gather(t, fixed{})
	known, named := samples(families), map[string]bool{}
	for _, family := range families {
		known[family.GetName()] = family.GetName()
	}
	for _, name := range regexp.MustCompile(`treelock_[a-z_]+`).FindAllString(string(text), -1) {
		if known[name] == "" {
			t.Errorf("doc.go names %s, which the collector does not have", name)
		}
		named[name] = true
	}
	for _, family := range families {
		if !named[family.GetName()] {
			t.Errorf("doc.go does not name %s", family.GetName())
		}
	}
}
