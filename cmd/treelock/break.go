package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
	"github.com/treelock/treelock/manager/cluster"
	"golang.org/x/term"
)

// A breaker is treelock break.
type breaker struct {
	reason      string
	yes, asJSON bool
	timeout     time.Duration

	in       io.Reader
	out, err io.Writer
	terminal bool // in is one
}

func newBreak(flags *where.Flags) *cobra.Command {
	b := &breaker{}
	cmd := &cobra.Command{
		Use:   "break TOKEN --reason R",
		Short: "End a request of another process",
		Long: `Break ends the request with that token, whether it holds or waits. Its process is told the reason:
treelock run ends its command. The exit status is 1 if there is no such request or the question was
answered with no, and 75 if the request has not ended in time, since its process does not answer. If
that is dead, its lease ends the request.`,
		Example: `  treelock break 1114112 --reason 'the job hangs'`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b.in, b.out, b.err = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			f, ok := b.in.(*os.File)
			b.terminal = ok && term.IsTerminal(int(f.Fd()))
			token, err := b.check(args[0])
			if err != nil {
				return usageError(err)
			}
			l, stop, err := openLooker(cmd, flags)
			if err != nil {
				return err
			}
			defer stop()
			return b.end(cmd.Context(), l, token)
		},
	}
	f := cmd.Flags()
	f.StringVar(&b.reason, "reason", "", "why, for the process that loses it")
	f.BoolVar(&b.yes, "yes", false, "do not ask")
	f.DurationVar(&b.timeout, "timeout", 10*time.Second, "how long to wait until it has ended")
	f.BoolVar(&b.asJSON, "json", false, "write JSON")
	return cmd
}

// check checks the arguments, and returns the token.
func (b *breaker) check(arg string) (token uint64, err error) {
	token, err = strconv.ParseUint(arg, 10, 64)
	switch {
	case err != nil || token == 0:
		return 0, fmt.Errorf("%q is not a token: treelock ls shows them", arg)
	case b.reason == "":
		return 0, errors.New("no --reason")
	case !b.yes && !b.terminal:
		return 0, errors.New("standard input is not a terminal, so nothing can be asked: use --yes")
	case b.timeout <= 0:
		return 0, fmt.Errorf("the timeout %v is not more than 0", b.timeout)
	}
	return token, nil
}

// end ends the request with a token.
func (b *breaker) end(ctx context.Context, l *looker, token uint64) error {
	v, err := l.look(ctx)
	if err != nil {
		return err
	}
	r, ok := v.byToken()[token]
	if !ok {
		return &exitError{statusConflict, fmt.Errorf("no live request has the token %d", token)}
	}
	fmt.Fprintln(b.err, r.describe(v.Taken))
	if !b.yes && !b.ask() {
		return &exitError{statusConflict, errors.New("not ended")}
	}
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	if err := b.revoke(ctx, l, r); err != nil {
		return err
	}
	return b.report(r)
}

// revoke ends a request that was seen. Its number in this process is another one after each lease
// of this process, which may have ended while the question was asked. So a number that is gone
// says only that the request must be looked for again, by its token.
func (b *breaker) revoke(ctx context.Context, l *looker, r liveRequest) error {
	for {
		err := l.locks.Revoke(ctx, r.number, fmt.Errorf("ended by %s: %s", l.Name, b.reason))
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return &exitError{statusTempFail, fmt.Errorf("it was asked to end, and has not within %v; if its process is dead, its lease ends it", b.timeout)}
		case !errors.Is(err, treelock.ErrNotHeld) && !errors.Is(err, cluster.ErrLeaseLost):
			return unavailableError(err)
		}
		v, err := l.look(ctx)
		if err != nil {
			return err
		}
		again, ok := v.byToken()[r.Token]
		if !ok {
			return nil
		}
		r = again
	}
}

// ask asks whether to end it.
func (b *breaker) ask() bool {
	fmt.Fprint(b.err, "End it? [y/N] ")
	line, _ := bufio.NewReader(b.in).ReadString('\n')
	line = strings.ToLower(strings.TrimSpace(line))
	return line == "y" || line == "yes"
}

// report says that r has ended.
func (b *breaker) report(r liveRequest) error {
	if b.asJSON {
		return writeJSON(b.out, change{Time: time.Now(), Change: "ended", Request: &r})
	}
	_, err := fmt.Fprintf(b.out, "%d has ended\n", r.Token)
	return err
}
