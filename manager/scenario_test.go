package manager_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock/fuzz/locktest"
)

var update = flag.Bool("update", false, "rewrite the consequences in testdata/*.txt to what happens now, for review")

// TestScenarios plays the stories in testdata. Each is played by a real manager and real goroutines
// in a bubble of package synctest, where "still waiting" is exact: after each command the bubble is
// brought to rest. At rest the manager is compared with the model of the rule. At the end
// everything is released, and nothing may be left.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob(testdata/*.txt) = %v, %v, want some files", files, err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := locktest.Scenario(t, locktest.Manager, want)
			if *update {
				if err := os.WriteFile(name, got, 0o644); err != nil {
					t.Fatal(err)
				}
			} else if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
