package report

import "github.com/treelock/treelock/examples/speed/figures"

// Names returns the benchmarks that a report is made of, each once.
func Names() []string {
	var names []string
	seen := make(map[string]bool)
	add := func(f figures.Figure) {
		if f.Name != "" && !seen[f.Name] {
			seen[f.Name] = true
			names = append(names, f.Name)
		}
	}
	for _, t := range tables() {
		for _, r := range t.rows {
			for _, f := range r.cells {
				add(f)
			}
		}
	}
	for _, g := range Goals() {
		add(g.Of)
		add(g.To)
	}
	// The charts show nothing that is in no table: a test sees to it.
	return names
}
