package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/cmd/treelock/internal/child"
	"github.com/treelock/treelock/cmd/treelock/internal/paths"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
	"github.com/treelock/treelock/internal/nodetext"
	"github.com/treelock/treelock/manager/cluster"
)

// A runCommand is treelock run: it waits for one request, runs a command while it is held, and
// releases.
type runCommand struct {
	flags    *where.Flags
	args     paths.Args
	label    string
	timeout  time.Duration
	grace    time.Duration
	try      bool
	conflict int // the exit status if the request is not granted

	cmd     *cobra.Command
	signals chan os.Signal // to this process, while it waits and while the command runs
}

func newRun(flags *where.Flags) *cobra.Command {
	r := &runCommand{flags: flags, signals: make(chan os.Signal, 16)}
	r.cmd = &cobra.Command{
		Use:   "run [flags] [--] COMMAND [ARG]...",
		Short: "Run a command while a lock is held",
		Long: `Run waits until all that it asks for is granted, runs COMMAND, and releases when COMMAND and all
processes of its group are gone. It exits with the status of COMMAND: see docs/command.md.`,
		Example: `  treelock run -w src/api -- make generate
  treelock run -r config --timeout 1m -- ./deploy.sh`,
		RunE: func(_ *cobra.Command, argv []string) error { return r.run(argv) },
	}
	f := r.cmd.Flags()
	f.SetInterspersed(false) // the flags of COMMAND are its own
	addPathFlags(f, &r.args)
	f.StringVar(&r.label, "label", "", "what is shown of the request (the name of COMMAND)")
	f.DurationVar(&r.timeout, "timeout", 0, "how long to wait (without an end)")
	f.BoolVar(&r.try, "try", false, "do not wait")
	f.IntVarP(&r.conflict, "conflict-exit-code", "E", statusTempFail, "the exit `status` if it is not granted in time")
	f.DurationVar(&r.grace, "grace", defaultGrace, "how long COMMAND may take to end when the lock is lost")
	return r.cmd
}

// defaultGrace is less if a third of the time to live is.
const defaultGrace = 2 * time.Second

// prepare checks the flags, and returns the settings, the request, and what it claims for what.
func (r *runCommand) prepare(argv []string) (s *where.Settings, req treelock.Request[treelock.Path], claimed []paths.Claimed, err error) {
	if err := r.check(argv); err != nil {
		return nil, req, nil, usageError(err)
	}
	if s, err = r.flags.Find(); err != nil {
		return nil, req, nil, err
	}
	if err := r.checkGrace(s.TTL); err != nil {
		return nil, req, nil, usageError(err)
	}
	if req, claimed, err = (paths.Parser{Root: s.Root, Raw: s.Raw}).Request(r.args); err != nil {
		return nil, req, nil, usageError(err)
	}
	if n := len(pathsVariable(claimed)); n > maxVariable {
		err = fmt.Errorf("the paths need %d bytes in TREELOCK_PATHS, and at most %d are allowed", n, maxVariable)
		return nil, req, nil, usageError(err)
	}
	if r.label == "" {
		r.label = filepath.Base(argv[0])
	}
	return s, req.Labeled(r.label), claimed, nil
}

func (r *runCommand) run(argv []string) error {
	settings, req, claimed, err := r.prepare(argv)
	if err != nil {
		return err
	}
	if settings.Verbose {
		for _, c := range claimed {
			r.say("%s: %v", nodetext.Escaped(c.Arg, maxErrorLen), c.Claim)
		}
	}

	signal.Notify(r.signals, child.Signals()...)
	defer signal.Stop(r.signals)
	// A reader of standard error that has gone must not end this process while the command runs.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	// The context of a manager ends its grants, so it is not that of the caller.
	life, end := context.WithCancelCause(context.WithoutCancel(r.cmd.Context()))
	defer end(nil)
	var locks *cluster.Manager
	var stop func()
	err = r.attempt(end, func() (err error) {
		locks, stop, err = settings.Start(life, settings.Logger(r.cmd.ErrOrStderr()))
		return err
	})
	if locks != nil {
		defer stop() // also if a signal came when it had just started
	}
	if err != nil {
		return err
	}
	grant, err := r.acquire(life, locks, req)
	if err != nil {
		return err
	}
	defer grant.Release()
	return r.hold(locks, grant, settings, claimed, argv)
}

// patience is how long a reader of standard error may hold up what else is to be done.
const patience = time.Second / 2

// say prints a line for people. It does not wait for a reader that has stopped to read.
func (r *runCommand) say(format string, args ...any) {
	said := make(chan struct{})
	go func() {
		defer close(said)
		fmt.Fprintf(r.cmd.ErrOrStderr(), "treelock: "+format+"\n", args...)
	}()
	await(said)
}

// await waits until a channel is closed, but not longer than for the patience.
func await(done <-chan struct{}) {
	select {
	case <-done:
	case <-time.After(patience):
	}
}

func (r *runCommand) check(argv []string) error {
	flags := r.cmd.Flags()
	switch {
	case len(argv) == 0:
		return errors.New("no COMMAND to run")
	case len(r.args.Read)+len(r.args.Write)+len(r.args.ReadNode)+len(r.args.WriteNode) == 0:
		return errors.New("no PATH to lock: use -r, -w, --read-node or --write-node")
	case r.conflict < 0 || r.conflict > 255:
		return fmt.Errorf("the exit status %d is not from 0 to 255", r.conflict)
	case flags.Changed("timeout") && r.timeout <= 0:
		return fmt.Errorf("the timeout %v is not more than 0; --try does not wait", r.timeout)
	case r.try && flags.Changed("timeout"):
		return errors.New("--try and --timeout exclude each other")
	}
	return nil
}

// checkGrace refuses a grace of more than a third of the time to live: after a renewal that failed
// there is not more time left.
func (r *runCommand) checkGrace(ttl time.Duration) error {
	switch third := ttl / 3; {
	case !r.cmd.Flags().Changed("grace"):
		r.grace = min(r.grace, third)
	case r.grace < 0 || r.grace > third:
		return fmt.Errorf("the grace %v is not from 0 to a third of the time to live, %v", r.grace, third)
	}
	return nil
}

// errInterrupted is why a context ends when a signal has come, or that of the caller has ended.
var errInterrupted = errors.New("interrupted")

// attempt calls f. If a signal comes meanwhile, or the context of the caller ends, it calls end,
// waits for f all the same, and returns the error for that.
func (r *runCommand) attempt(end context.CancelCauseFunc, f func() error) error {
	result := make(chan error, 1)
	go func() { result <- f() }()
	ctx := r.cmd.Context()
	var sig os.Signal
	select {
	case err := <-result:
		return err
	case sig = <-r.signals:
	case <-ctx.Done():
	}
	end(errInterrupted)
	<-result
	if sig != nil {
		return &exitError{statusSignal + child.Number(sig), fmt.Errorf("%w by the signal %v; nothing is held", errInterrupted, sig)}
	}
	return &exitError{statusTempFail, fmt.Errorf("%w: %w; nothing is held", errInterrupted, context.Cause(ctx))}
}

func interrupted(err error) bool { return errors.Is(err, errInterrupted) }

// acquire waits for the grant, and shows what it waits for. It returns a grant, or an error and
// nothing held.
func (r *runCommand) acquire(life context.Context, locks *cluster.Manager, req treelock.Request[treelock.Path]) (grant treelock.Grant[treelock.Path], err error) {
	wait, end := context.WithCancelCause(life)
	defer end(nil)
	acquire := locks.Acquire
	if r.try {
		acquire = locks.TryAcquire
	} else {
		req = req.Tagged(r)
		shown := showWait(wait, r.cmd.ErrOrStderr(), locks, req)
		defer func() { end(nil); await(shown) }()
	}
	limit, stop := wait, context.CancelFunc(func() {})
	if r.timeout > 0 {
		limit, stop = context.WithTimeout(wait, r.timeout)
	}
	defer stop()
	grant, err = r.granted(limit, end, acquire, req)
	switch {
	case err == nil, interrupted(err):
		return grant, err
	case errors.Is(err, treelock.ErrStopped), errors.Is(err, cluster.ErrLeaseLost):
		err = unavailableError(err) // no other request has kept it from being granted
	case refused(err):
		err = &exitError{r.conflict, err}
	case isTooLarge(err):
		err = usageError(err)
	}
	return treelock.Grant[treelock.Path]{}, err
}

// An acquirer is the method of a manager that waits for a grant, or that does not wait.
type acquirer func(context.Context, treelock.Request[treelock.Path]) (treelock.Grant[treelock.Path], error)

// granted calls acquire, unless a signal ends that. A grant that comes all the same is released.
func (r *runCommand) granted(
	ctx context.Context, end context.CancelCauseFunc, acquire acquirer, req treelock.Request[treelock.Path],
) (grant treelock.Grant[treelock.Path], err error) {
	err = r.attempt(end, func() (err error) {
		grant, err = acquire(ctx, req)
		return err
	})
	if interrupted(err) {
		grant.Release()
		return treelock.Grant[treelock.Path]{}, err
	}
	return grant, err
}

// refused reports whether a request that was sent was not granted.
func refused(err error) bool {
	for _, why := range []error{treelock.ErrConflict, treelock.ErrGaveUp, treelock.ErrBusy, treelock.ErrDraining,
		treelock.ErrSuspended, treelock.ErrLost, context.DeadlineExceeded} {
		if errors.Is(err, why) {
			return true
		}
	}
	return false
}

// isTooLarge reports whether a request was refused because of its paths.
func isTooLarge(err error) bool {
	return errors.Is(err, treelock.ErrTooWide) || errors.Is(err, treelock.ErrTooLong) || errors.Is(err, treelock.ErrTooDeep)
}

// notRun returns the error for a command that could not be run.
func notRun(err error) error {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return &exitError{statusNotFound, err}
	}
	return &exitError{statusNotRun, err}
}
