package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Each test that README names is there.
func TestReadmeNamesTests(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var code []byte
	for _, pattern := range []string{"*_test.go", "internal/*/*_test.go"} {
		files, _ := filepath.Glob(pattern)
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			code = append(code, text...)
		}
	}
	names := regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllSubmatch(readme, -1)
	if len(names) < 30 {
		t.Errorf("README names %d tests", len(names))
	}
	for _, name := range names {
		if !regexp.MustCompile(`(?m)^func ` + string(name[1]) + `\(`).Match(code) {
			t.Errorf("README names %s, which is no test", name[1])
		}
	}
}
