package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/cmd/treelock/internal/paths"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
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
		return nil, configError(err)
	}
	return &looker{Settings: settings}, nil
}

// start starts the manager, which ends when ctx does. stop must be called.
func (l *looker) start(ctx context.Context, cmd *cobra.Command) (stop func(), err error) {
	logger := slog.New(slog.DiscardHandler)
	if l.Verbose {
		logger = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	}
	if l.locks, stop, err = l.Start(ctx, logger); err != nil {
		return nil, unavailableError(err)
	}
	return stop, nil
}

// look returns all live requests.
func (l *looker) look(ctx context.Context) (*view, error) {
	v, err := look(ctx, l.locks, l.Name, l.Connect)
	if err != nil {
		return nil, unavailableError(fmt.Errorf("what is locked cannot be known: %w", err))
	}
	return v, nil
}

func (l *looker) parser() paths.Parser { return paths.Parser{Root: l.Root, Raw: l.Raw} }

// path returns the path of an argument.
func (l *looker) path(name string) (treelock.Path, error) {
	req, _, err := l.parser().Request(paths.Args{Write: []string{name}})
	if err != nil {
		return "", usageError(err)
	}
	return req.Claim(0).Node, nil
}
