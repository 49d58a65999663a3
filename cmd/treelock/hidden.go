package main

import (
	"github.com/spf13/cobra"
	"github.com/treelock/treelock/cmd/treelock/internal/child"
)

// newGuardian returns the command that treelock run starts to watch for it.
func newGuardian() *cobra.Command {
	return &cobra.Command{Use: "guardian", Hidden: true, RunE: func(*cobra.Command, []string) error { return child.Guardian() }}
}

// newStub returns the command that treelock run starts to become what it runs.
func newStub() *cobra.Command {
	return &cobra.Command{Use: "stub", Hidden: true, DisableFlagParsing: true, RunE: func(_ *cobra.Command, args []string) error {
		if child.Stub(args) != nil {
			return &exitError{statusSoftware, nil} // treelock run says why
		}
		return nil
	}}
}
