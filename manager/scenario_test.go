package manager_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the consequences in testdata/*.txt to what happens now, for review")

// TestScenarios plays the stories in testdata. Each is played by a real manager and real goroutines in a
// bubble of package synctest, where "still waiting" is exact: after each command the bubble is brought
// to rest. At rest the manager is compared with the model of the rule. At the end everything is
// released, and nothing may be left.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob(testdata/*.txt) = %v, %v, want some files", files, err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			file := parseScenario(text)
			if diff := cmp.Diff(string(text), string(file.format())); diff != "" {
				t.Fatalf("the file is not in the form of a scenario, -is +should be:\n%s", diff)
			}
			synctest.Test(t, func(t *testing.T) { playScenario(t, file) })
			if *update {
				if err := os.WriteFile(name, file.format(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// playScenario plays the commands of file and compares, or with -update replaces, the consequences.
func playScenario(t *testing.T, file scenarioFile) {
	s := newStage(t)
	for i := range file {
		step := &file[i]
		if step.command == "" {
			continue
		}
		got := s.play(step.command)
		if *update {
			step.want = got
		} else if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", step.command, diff)
		}
	}
	s.strike()
}
