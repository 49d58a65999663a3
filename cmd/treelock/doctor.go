package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/treelock/treelock/cmd/treelock/internal/checkup"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
	"github.com/treelock/treelock/internal/nodetext"
)

// newDoctor returns the command that says whether etcd will do.
func newDoctor(flags *where.Flags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say where the settings come from, and whether etcd will do for locks",
		Long: `doctor says where each setting comes from, and looks at etcd: whether each endpoint answers, its
version, what this user may do, the prefix, latency, compaction, room, and the clock. It leaves
nothing in etcd. The status is 0 if all is well, 1 if something is wrong, and 69 if no endpoint
answers.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := flags.Find()
			if err != nil {
				return err
			}
			d := diagnosis{s.Sources, checkup.Look(cmd.Context(), s)}
			if asJSON {
				err = writeJSON(cmd.OutOrStdout(), d)
			} else {
				err = d.print(cmd.OutOrStdout())
			}
			switch {
			case err != nil:
				return err
			case !d.Answers:
				return &exitError{status: statusUnavailable}
			case !d.OK:
				return &exitError{status: statusConflict}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// A diagnosis is what doctor prints.
type diagnosis struct {
	Settings []where.Source `json:"settings"`
	*checkup.Report
}

// print writes one line for each setting and each finding.
func (d diagnosis) print(w io.Writer) error {
	for _, s := range d.Settings {
		if _, err := fmt.Fprintf(w, "%-8s %-11s %s\n", "set", s.Key, s.Value+" ("+s.Place+")"); err != nil {
			return err
		}
	}
	for _, f := range d.Findings {
		if _, err := fmt.Fprintf(w, "%-8s %-11s %s\n", f.State, f.Check, nodetext.Escaped(f.Text, maxErrorLen)); err != nil {
			return err
		}
	}
	return nil
}
