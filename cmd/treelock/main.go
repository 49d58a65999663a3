package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
	"github.com/treelock/treelock/internal/nodetext"
)

func main() { os.Exit(execute(context.Background(), os.Args[1:])) }

// execute runs the command that args name, and returns the exit status.
func execute(ctx context.Context, args []string) int {
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	status := statusOf(err)
	// The caller has asked for the status 0, so that is no failure of which to tell.
	if status != statusOK && err.Error() != "" {
		// It is one line, also if it has a name that is not.
		text := nodetext.Escaped(strings.TrimPrefix(err.Error(), "treelock: "), maxErrorLen)
		fmt.Fprintln(root.ErrOrStderr(), "treelock:", text)
	}
	return status
}

// maxErrorLen is how many bytes of an error are printed.
const maxErrorLen = 1 << 12

// newRoot returns the command with all its parts.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "treelock",
		Short:         "Locks of files and folders for scripts, CI jobs and agents",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError(fmt.Errorf("%w; see %s --help", err, cmd.CommandPath()))
	})
	var flags where.Flags
	flags.Add(root.PersistentFlags())
	root.AddCommand(
		newDev(),
		newDoctor(&flags),
		newRun(&flags),
		newLs(&flags),
		newCheck(&flags),
		newBreak(&flags),
		newPage(&flags),
		newMCP(&flags),
		newGuard(&flags),

		newMan(),
		newGuardian(),
		newStub(),
	)
	usageArgs(root)
	for _, cmd := range root.Commands() {
		usageArgs(cmd)
	}
	return root
}
