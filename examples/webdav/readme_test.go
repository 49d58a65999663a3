package main

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// Each test that README names is there.
func TestReadmeNamesTests(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := exec.CommandContext(t.Context(), "go", "test", "-list", ".", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllSubmatch(readme, -1)
	if len(names) < 30 {
		t.Errorf("README names %d tests", len(names))
	}
	for _, name := range names {
		if !regexp.MustCompile(`(?m)^` + string(name[1]) + `$`).Match(code) {
			t.Errorf("README names %s, which is no test", name[1])
		}
	}
}
