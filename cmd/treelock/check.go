package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/cmd/treelock/internal/paths"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
)

func newCheck(flags *where.Flags) *cobra.Command {
	var args paths.Args
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check [-r PATH]... [-w PATH]... [--read-node PATH]... [--write-node PATH]...",
		Short: "Say whether a request would wait, and for what",
		Long: `Check says whether a request would be granted at once. It takes nothing, and no request waits for it.
The exit status is 0 if the request would be granted, 1 if it would wait, and 69 if that cannot be
known. Further arguments are claimed as those of the only flag with a path.`,
		Example: `  treelock check -w src/api
  treelock check -w src/*.go`,
		RunE: func(cmd *cobra.Command, more []string) error {
			if err := addRest(&args, more); err != nil {
				return usageError(err)
			}
			l, err := newLooker(flags)
			if err != nil {
				return err
			}
			req, _, err := l.parser().Request(args)
			if err != nil {
				return usageError(err)
			}
			stop, err := l.start(cmd.Context(), cmd)
			if err != nil {
				return err
			}
			defer stop()
			answer, err := l.check(cmd.Context(), req)
			if err != nil {
				return err
			}
			return answer.write(cmd.OutOrStdout(), asJSON)
		},
	}
	f := cmd.Flags()
	addPathFlags(f, &args)
	f.BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

// addRest adds the arguments without a flag to those of the only flag that was used. They come from
// a shell that has expanded a glob.
func addRest(args *paths.Args, rest []string) error {
	var used []*[]string
	for _, names := range []*[]string{&args.Read, &args.Write, &args.ReadNode, &args.WriteNode} {
		if len(*names) > 0 {
			used = append(used, names)
		}
	}
	switch {
	case len(used) == 0:
		return errors.New("no PATH to check: use -r, -w, --read-node or --write-node")
	case len(rest) > 0 && len(used) > 1:
		return fmt.Errorf("%q: is it to be read or written? Repeat the flag before each PATH", rest[0])
	case len(rest) > 0:
		*used[0] = append(*used[0], rest...)
	}
	return nil
}

// An answer says whether a request would be granted at once. Its JSON is that of treelock check.
type answer struct {
	Free      bool          `json:"free"`
	Claims    []claimInfo   `json:"claims"`     // what was asked about
	BlockedBy []liveRequest `json:"blocked_by"` // the earliest requests that it would wait for
	More      int           `json:"more,omitempty"`

	view *view
}

// check asks whether req would be granted now. The error is an unavailable one if that is not
// known.
func (l *looker) check(ctx context.Context, req treelock.Request[treelock.Path]) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, l.Connect)
	defer cancel()
	err := l.locks.Check(ctx, req)
	var blocked *treelock.BlockedError[treelock.Path]
	switch {
	case err == nil:
		return &answer{Free: true, Claims: infosOf(req), BlockedBy: []liveRequest{}}, nil
	case isTooLarge(err):
		return nil, usageError(err)
	case !errors.As(err, &blocked) || !errors.Is(err, treelock.ErrConflict):
		return nil, unavailableError(fmt.Errorf("whether it would wait cannot be known: %w", err))
	}
	v, err := l.look(ctx)
	if err != nil {
		return nil, err
	}
	return answerOf(blocked, req, v, l.Name), nil
}

// answerOf returns the answer that names the blockers of req. The view has their tokens and claims,
// unless they have ended since.
func answerOf(blocked *treelock.BlockedError[treelock.Path], req treelock.Request[treelock.Path], v *view, self string) *answer {
	known := make(map[uint64]liveRequest)
	for _, r := range v.all() {
		known[r.number] = r
	}
	a := &answer{Claims: infosOf(req), BlockedBy: []liveRequest{}, More: blocked.More, view: v}
	for _, b := range blocked.Blockers {
		r, ok := known[b.Number]
		if !ok {
			r = liveRequest{State: b.State, Process: b.Process, Label: b.Label, Claims: []claimInfo{infoOf(b.Claim)}}
			if r.Process == "" {
				r.Process, r.Own = self, true
			}
		}
		a.BlockedBy = append(a.BlockedBy, r)
	}
	return a
}

// write writes the answer, and returns the error that has its status.
func (a *answer) write(out io.Writer, asJSON bool) error {
	if asJSON {
		if err := writeJSON(out, a); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(out, a.text())
	}
	if !a.Free {
		return &exitError{status: statusConflict}
	}
	return nil
}

// text says the answer on a line for each blocker.
func (a *answer) text() string {
	if a.Free {
		return "free"
	}
	lines := make([]string, len(a.BlockedBy))
	for i, r := range a.BlockedBy {
		lines[i] = "would wait for " + r.describe(a.view.Taken)
	}
	if a.More > 0 {
		lines = append(lines, fmt.Sprintf("would wait for %d more", a.More))
	}
	return strings.Join(lines, "\n")
}
