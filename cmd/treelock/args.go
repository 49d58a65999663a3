package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/treelock/treelock/cmd/treelock/internal/paths"
)

// addPathFlags adds the flags that say what to lock.
func addPathFlags(f *pflag.FlagSet, args *paths.Args) {
	f.StringArrayVarP(&args.Read, "read", "r", nil, "read `PATH` and all below it")
	f.StringArrayVarP(&args.Write, "write", "w", nil, "write `PATH` and all below it")
	f.StringArrayVar(&args.ReadNode, "read-node", nil, "read the name `PATH` alone")
	f.StringArrayVar(&args.WriteNode, "write-node", nil, "write the name `PATH` alone")
}

// usageArgs gives the errors of the check of a command's arguments the status of wrong usage.
func usageArgs(cmd *cobra.Command) {
	check := cmd.Args
	if check == nil {
		return
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError(err)
		}
		return nil
	}
}
