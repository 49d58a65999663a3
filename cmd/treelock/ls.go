package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
	"github.com/treelock/treelock/internal/nodetext"
)

func newLs(flags *where.Flags) *cobra.Command {
	var watch, asJSON bool
	cmd := &cobra.Command{
		Use:   "ls [PATH]",
		Short: "List what is held, and what waits for what",
		Long: `Ls lists the requests that hold something, and those that wait, in their order. With PATH it lists
those that claim a file or folder there or below, or a folder that contains it.`,
		Example: `  treelock ls src
  treelock ls --watch --json | jq --unbuffered -c 'select(.change == "ended")'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := newLooker(flags)
			if err != nil {
				return err
			}
			limit := treelock.Path("/")
			if len(args) > 0 {
				if limit, err = l.parser().Path(args[0]); err != nil {
					return usageError(err)
				}
			}
			stop, err := l.start(cmd.Context(), cmd)
			if err != nil {
				return err
			}
			defer stop()
			return l.list(cmd, limit, watch, asJSON)
		},
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "follow the changes")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON; with --watch an object for each change")
	return cmd
}

// list lists what concerns the subtree of limit.
func (l *looker) list(cmd *cobra.Command, limit treelock.Path, watch, asJSON bool) error {
	look := func(ctx context.Context) (*view, error) {
		v, err := l.look(ctx)
		if err != nil {
			return nil, err
		}
		return v.within(limit), nil
	}
	out := cmd.OutOrStdout()
	if watch {
		ctx, stop := signal.NotifyContext(cmd.Context(), endSignals()...)
		defer stop()
		w := &watcher{look: look, out: out, canvas: canvasOf(out)}
		if asJSON {
			w.canvas = nil
		}
		return w.run(ctx)
	}
	v, err := look(cmd.Context())
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(out, v)
	}
	_, err = io.WriteString(out, v.table())
	return err
}

// table returns a table of the requests, or a line that says that there are none.
func (v *view) table() string {
	all := v.all()
	if len(all) == 0 {
		return "nothing is held\n"
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TOKEN\tSTATE\tAGE\tPROCESS\tLABEL\tCLAIMS\tWAITS FOR")
	for _, r := range all {
		label := ""
		if r.Label != "" {
			label = nodetext.Line(r.Label, treelock.MaxLabel)
		}
		fmt.Fprintf(w, "%d\t%v\t%s\t%s\t%s\t%v\t%s\n",
			r.Token, r.State, cmp.Or(r.age(v.Taken, ""), "-"), nodetext.Line(r.Process, treelock.MaxLabel), label, r.request(), r.waitsFor())
	}
	w.Flush()
	return withoutTrailingSpaces(b.String())
}

// waitsFor lists the tokens of the blockers.
func (r liveRequest) waitsFor() string {
	tokens := make([]string, len(r.BlockedBy))
	for i, token := range r.BlockedBy {
		tokens[i] = fmt.Sprint(token)
	}
	text := strings.Join(tokens, ", ")
	if r.More > 0 {
		text += fmt.Sprintf(" and %d more", r.More)
	}
	return text
}

func withoutTrailingSpaces(table string) string {
	var b strings.Builder
	for line := range strings.Lines(table) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return b.String()
}
