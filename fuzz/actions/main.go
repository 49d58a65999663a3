// Command actions checks that the tests of the manager have seen each action of the model. In
// builds with audits, each test binary appends the actions that it has seen to the file that the
// environment variable TREELOCK_ACTIONS names (see package internal/trace). The command reads that
// file, and fails if an action is missing:
//
//	export TREELOCK_ACTIONS=$(mktemp)
//	go test -count 1 -tags treelock_audit ./manager
//	go run ./fuzz/actions "$TREELOCK_ACTIONS"
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/treelock/treelock/internal/trace"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: actions FILE")
		os.Exit(2)
	}
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "actions:", err)
		os.Exit(1)
	}
	missing := missing(string(text))
	for _, action := range missing {
		fmt.Println("never seen:", action)
	}
	all := len(trace.Actions())
	fmt.Printf("%d of %d actions of the model were seen\n", all-len(missing), all)
	if len(missing) > 0 {
		os.Exit(1)
	}
}

// missing returns the actions that text, with one on each line, does not have.
func missing(text string) (actions []trace.Action) {
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		seen[strings.TrimSuffix(line, "\n")] = true
	}
	for _, a := range trace.Actions() {
		if !seen[a.String()] {
			actions = append(actions, a)
		}
	}
	return actions
}
