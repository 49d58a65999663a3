package metrics_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
)

// A dashboard is the part of grafana.json that the tests check.
type dashboard struct {
	Panels     []panel
	Templating struct {
		List []struct {
			Name, Type, Query, AllValue string
			Datasource                  datasource
		}
	}
}

type panel struct {
	ID         int
	Title      string
	Datasource datasource
	GridPos    struct{ X, Y, W, H int }
	Targets    []struct {
		RefID, Expr, LegendFormat string
		Datasource                datasource
	}
}

type datasource struct{ Type, UID string }

// chosen is the data source that the viewer chooses.
var chosen = datasource{"prometheus", "${datasource}"}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	text, err := os.ReadFile("grafana.json")
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err != nil || len(d.Panels) == 0 {
		t.Fatalf("%d panels, %v", len(d.Panels), err)
	}
	return d
}

var (
	selector  = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)\{([^}]*)\}`)
	grouping  = regexp.MustCompile(`\bby *\(([^)]*)\)`)
	timeRange = regexp.MustCompile(`\[[^]]*\]`)
	word      = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*( *\()?`)
	inLegend  = regexp.MustCompile(`\{\{([^}]*)\}\}`)
)

func TestDashboardShowsAllMetricsOfTheChosenManagers(t *testing.T) {
	all := families(t, fixed{})
	names, shown := sampleNames(all), map[string]bool{}
	for _, panel := range readDashboard(t).Panels {
		if len(panel.Targets) == 0 {
			t.Errorf("%s: no queries", panel.Title)
		}
		for _, target := range panel.Targets {
			for _, name := range metricsIn(t, target.Expr) {
				if names[name] == "" {
					t.Errorf("%s: %s does not exist: %s", panel.Title, name, target.Expr)
				}
				shown[names[name]] = true
			}
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
					t.Errorf("%s: the legend has %q, the query groups by %q", panel.Title, legend, labels)
				}
			}
		}
	}
	for name := range all {
		if !shown[name] {
			t.Errorf("no panel shows %s", name)
		}
	}
}

// sampleNames returns the name of the metric by the name of each of its series.
func sampleNames(all map[string]*dto.MetricFamily) map[string]string {
	names := map[string]string{}
	for name, family := range all {
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

// metricsIn returns the metrics in a query. Each must select the chosen managers. Every other word
// must be a function.
func metricsIn(t *testing.T, expr string) (names []string) {
	t.Helper()
	for _, found := range selector.FindAllStringSubmatch(expr, -1) {
		names = append(names, found[1])
		if found[2] != `manager=~"$manager"` {
			t.Errorf("%s selects {%s}, not the chosen managers: %s", found[1], found[2], expr)
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
			t.Errorf("%s is neither a function nor a metric of the chosen managers", name)
		}
	}
	return names
}

func TestDashboardAsksForItsVariables(t *testing.T) {
	d, found := readDashboard(t), 0
	for _, v := range d.Templating.List {
		switch v.Name {
		case "datasource":
			found++
			if v.Type != "datasource" || v.Query != "prometheus" {
				t.Errorf("datasource = %+v, want one for a Prometheus data source", v)
			}
		case "manager": // .* matches a manager without a name too, which has no label
			found++
			name, _ := strings.CutSuffix(strings.TrimPrefix(v.Query, "label_values("), ", manager)")
			if v.Type != "query" || v.AllValue != ".*" || v.Datasource != chosen ||
				sampleNames(families(t, fixed{}))[name] == "" {
				t.Errorf("manager = %+v, want the values of the label manager of a metric, and .* for all", v)
			}
		}
	}
	if found != 2 {
		t.Errorf("%d of the variables datasource and manager, want both", found)
	}
	for _, panel := range d.Panels {
		sources := []datasource{panel.Datasource}
		for _, target := range panel.Targets {
			sources = append(sources, target.Datasource)
		}
		if slices.ContainsFunc(sources, func(s datasource) bool { return s != chosen }) {
			t.Errorf("%s: data sources %v, want %v", panel.Title, sources, chosen)
		}
	}
}

func TestPanelsHaveDistinctNamesAndPlaces(t *testing.T) {
	ids, cells := map[int]bool{0: true}, map[[2]int]string{}
	for _, panel := range readDashboard(t).Panels {
		if ids[panel.ID] || panel.Title == "" {
			t.Errorf("panel %q has no title, or the ID %d of another panel", panel.Title, panel.ID)
		}
		ids[panel.ID] = true
		refs := map[string]bool{"": true}
		for _, target := range panel.Targets {
			if refs[target.RefID] {
				t.Errorf("%s: the name %q of a query is not unique", panel.Title, target.RefID)
			}
			refs[target.RefID] = true
		}
		at := panel.GridPos
		if at.W <= 0 || at.H <= 0 || at.X < 0 || at.X+at.W > 24 {
			t.Errorf("%s: %+v is not on the page, which is 24 wide", panel.Title, at)
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
