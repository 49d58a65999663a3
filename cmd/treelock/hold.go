package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/cmd/treelock/internal/child"
	"github.com/treelock/treelock/cmd/treelock/internal/paths"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
	"github.com/treelock/treelock/internal/nodetext"
	"github.com/treelock/treelock/manager/cluster"
)

// A holder is a command that runs while a grant is held.
type holder struct {
	*child.Child
	name     string // of the command
	locks    *cluster.Manager
	grant    treelock.Grant[treelock.Path]
	signals  chan os.Signal
	ending   child.Ending
	deadline time.Time     // the latest one at which the grant was held
	period   time.Duration // how often to look at the deadline, and at the terminal
	say      func(format string, args ...any)

	over   child.Event // how the command has ended
	passed os.Signal   // the latest that was passed on
}

// hold runs a command while the grant is held. It returns when all processes of its group are gone.
func (r *runCommand) hold(locks *cluster.Manager, grant treelock.Grant[treelock.Path], s *where.Settings, claimed []paths.Claimed, argv []string) error {
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return notRun(err)
	}
	var deadline time.Time
	begin := func() (_ time.Time, err error) {
		deadline, err = r.mayBegin(locks, grant, argv[0])
		return deadline, err
	}
	c, err := child.Start(child.Command{Path: path, Args: argv, Env: environ(grant, s, claimed), Begin: begin})
	if err != nil {
		return notBegun(argv[0], err, cmp.Or(grant.Err(), late(deadline)))
	}
	h := &holder{Child: c, name: argv[0], locks: locks, grant: grant, signals: r.signals, deadline: deadline,
		ending: child.Ending{Grace: r.grace}, period: s.TTL / 10, say: r.say}
	if more := child.Continue(); len(more) > 0 {
		signal.Notify(h.signals, more...)
	}
	lost := h.loop(r.cmd)
	if h.over.Kind == child.Killed {
		c.Restore()
	}
	c.Close(h.typed())
	if lost || grant.Err() != nil {
		return &exitError{statusLost, fmt.Errorf("the lock was lost while %s ran: %w", h.name, h.cause())}
	}
	return &exitError{h.over.Status, nil}
}

// late returns an error if the deadline of a lock has passed, which its manager may not know yet. A
// deadline that is zero is none.
func late(deadline time.Time) error {
	if !deadline.IsZero() && child.Left(deadline, time.Now()) <= 0 {
		return child.ErrLate
	}
	return nil
}

// notBegun returns the error of a command that was not begun. lost is why the lock is, nil if it is
// not.
func notBegun(name string, err, lost error) error {
	var command *exec.Error
	var exit *exitError
	switch {
	case errors.As(err, &exit):
		return err
	case errors.As(err, &command):
		return notRun(err)
	case lost != nil, errors.Is(err, child.ErrLate):
		return &exitError{statusLost, fmt.Errorf("%s was not run: %w", name, cmp.Or(lost, err))}
	}
	return fmt.Errorf("%s was not run: %w", name, err)
}

// mayBegin returns until when the grant is held, or why the command must not begin.
func (r *runCommand) mayBegin(locks *cluster.Manager, grant treelock.Grant[treelock.Path], name string) (time.Time, error) {
	deadline := locks.Deadline()
	select {
	case <-grant.Lost():
		return deadline, &exitError{statusLost, fmt.Errorf("%s was not run: %w", name, grant.Err())}
	case sig := <-r.signals:
		return deadline, &exitError{statusSignal + child.Number(sig), fmt.Errorf("%w by the signal %v; nothing is held", errInterrupted, sig)}
	default:
		return deadline, nil
	}
}

// errNotRenewed is why a command must end while its lock counts for a moment more.
var errNotRenewed = errors.New("the lease could not be renewed in time")

// loop does what is due until the group is gone. It reports whether the command had to end because
// of the lock.
func (h *holder) loop(cmd *cobra.Command) (lost bool) {
	canceled := cmd.Context().Done()
	for {
		held := h.held()
		due, again := h.ending.Due(time.Now(), h.deadline, !held)
		switch due {
		case child.Terminate:
			lost = true
			h.Terminate()
			// What cannot be ended, as what has the rights of another user, is waited for.
			why := nodetext.Escaped(strings.TrimPrefix(h.cause().Error(), "treelock: "), maxErrorLen)
			h.say("the lock is lost, so %s must end: %s", h.name, why)
		case child.Kill:
			lost = lost || !held
			h.Kill()
		}
		select {
		case e := <-h.Events():
			if e.Kind == child.Gone {
				return lost
			}
			h.happened(e)
		case sig := <-h.signals:
			h.forward(sig)
		case <-h.lost():
		case <-canceled:
			canceled = nil
			h.end()
		case <-time.After(min(again, h.period)):
			h.Foreground()
		}
	}
}

// held reports whether the grant is held, and learns the deadline if so. A lease that was lost has
// closed the channel before a new one begins, so the order of the two questions matters.
func (h *holder) held() bool {
	deadline := h.locks.Deadline()
	select {
	case <-h.grant.Lost():
		return false
	default:
	}
	h.deadline = deadline
	if err := h.Deadline(deadline); err != nil {
		h.say("%v", err)
	}
	return true
}

// cause returns why the command must end.
func (h *holder) cause() error { return cmp.Or(h.grant.Err(), errNotRenewed) }

// lost returns the channel that tells of a loss, until that is known.
func (h *holder) lost() <-chan struct{} {
	if h.ending.Begun() {
		return nil
	}
	return h.grant.Lost()
}

// end asks the group to end, for another reason than the lock.
func (h *holder) end() {
	if !h.ending.Begun() {
		h.ending.Begin(time.Now())
		h.Terminate()
	}
}

// happened takes an event of the command. What a command leaves behind that was killed is ended: no
// grandchild of a killed shell lives on. What one leaves behind that has ended by itself, as a
// shell with & does, is waited for.
func (h *holder) happened(e child.Event) {
	switch e.Kind {
	case child.Stopped:
		if h.Suspend(e.Signal) {
			h.resume()
		}
	case child.Killed:
		h.over = e
		h.end()
	case child.Ended:
		h.over = e
	}
}

// resume continues a command that was stopped, if the lock is held: this process may have been
// stopped as well, for longer than the lease.
func (h *holder) resume() {
	if !h.held() || child.Left(h.deadline, time.Now()) <= 0 {
		h.Kill()
		return
	}
	h.Continue()
}

// forward passes a signal on to the group.
func (h *holder) forward(sig os.Signal) {
	if slices.Contains(child.Continue(), sig) {
		h.resume()
		return
	}
	h.passed = sig
	h.Forward(sig)
}

// typed returns the signal that has killed the command, if this process has not passed it on.
func (h *holder) typed() os.Signal {
	if h.over.Signal == h.passed {
		return nil
	}
	return h.over.Signal
}
