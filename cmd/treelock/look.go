package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/cmd/treelock/internal/paths"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
	"github.com/treelock/treelock/manager"
	"github.com/treelock/treelock/manager/cluster"
)

// A looker is a process of the tree that looks at the requests of the others.
type looker struct {
	*where.Settings
	locks *cluster.Manager // nil before start
}

// newLooker finds the settings of a looker.
func newLooker(flags *where.Flags) (*looker, error) {
	settings, err := flags.Find()
	if err != nil {
		return nil, err
	}
	return &looker{Settings: settings}, nil
}

// openLooker finds the settings and starts the manager, which ends when the command does. stop must
// be called.
func openLooker(cmd *cobra.Command, flags *where.Flags) (l *looker, stop func(), err error) {
	if l, err = newLooker(flags); err == nil {
		stop, err = l.start(cmd.Context(), cmd)
	}
	return l, stop, err
}

// start starts the manager, which ends when ctx does. stop must be called.
func (l *looker) start(ctx context.Context, cmd *cobra.Command) (stop func(), err error) {
	if l.locks, stop, err = l.Start(ctx, l.Logger(cmd.ErrOrStderr())); err != nil {
		return nil, unavailableError(err)
	}
	return stop, nil
}

// look returns all requests that are live at a moment between the call and its return. Without an
// answer of etcd in time it returns an error: what a process knows from before may be over.
func (l *looker) look(ctx context.Context) (*view, error) {
	v, err := l.tryLook(ctx)
	if err != nil {
		return nil, unavailableError(fmt.Errorf("what is locked cannot be known: %w", err))
	}
	return v, nil
}

func (l *looker) tryLook(ctx context.Context) (*view, error) {
	ctx, cancel := context.WithTimeout(ctx, l.Connect)
	defer cancel()
	s, err := l.locks.FreshSnapshot(ctx, manager.Query[treelock.Path]{})
	if err != nil {
		return nil, err
	}
	return viewOf(s, l.Name), nil
}

func (l *looker) parser() paths.Parser { return paths.Parser{Root: l.Root, Raw: l.Raw} }
