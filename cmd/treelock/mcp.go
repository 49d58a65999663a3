package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
)

func newMCP(flags *where.Flags) *cobra.Command {
	return &cobra.Command{
		Use:   "mcp",
		Short: "Let a coding agent reserve files, as an MCP server",
		Long: `Mcp is a server of the Model Context Protocol over standard input and output, with the tools reserve,
check, release and list. What is reserved is held until it is released, or the server ends: with its
client, with standard input, or by a signal. If it is killed, its lease ends it.

All requests have the name of TREELOCK_NAME, or else of the user and the worktree: treelock guard
finds them by that.`,
		Example: `  claude mcp add treelock -- treelock mcp`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := newLooker(flags)
			if err != nil {
				return err
			}
			l.Name = agentName(l.Settings)
			ctx, stopSignals := signal.NotifyContext(cmd.Context(), endSignals()...)
			defer stopSignals()
			// A client that has gone must not end this process before it has released.
			signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
			// The manager ends with this context, and with it all that is held and all that waits.
			life, end := context.WithCancel(ctx)
			defer end()
			stop, err := l.start(life, cmd)
			if err != nil {
				return err
			}
			defer stop()
			defer end()
			return serveMCP(ctx, l, newReservations(life, l.locks))
		},
	}
}

// serveMCP serves one client until that or ctx ends. It does not wait for tools that wait: their
// contexts end.
func serveMCP(ctx context.Context, l *looker, held *reservations) error {
	server := mcp.NewServer(&mcp.Implementation{Name: "treelock", Title: "treelock", Version: "1"}, &mcp.ServerOptions{
		Instructions: fmt.Sprintf(`Other agents and jobs work in the same tree. Reserve the files and folders that you are about to
change before you change them, and release them when you are done. Paths are relative to %s. A
reservation ends when this server ends. If an answer has notices, reservations have ended without
your doing: reserve again before you write there.`, l.Root),
	})
	held.tell = func(notice string) {
		for session := range server.Sessions() {
			//lint:ignore SA1019 clients of earlier versions of the protocol take it
			session.Log(ctx, &mcp.LoggingMessageParams{Level: "warning", Logger: "treelock", Data: notice})
		}
	}
	t := &tools{l, held}
	t.addTo(server)
	ended := make(chan error, 1) // gets the one result of Run
	go func() { ended <- server.Run(ctx, &mcp.StdioTransport{}) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		// Run waits for answers that the client may never read.
		select {
		case <-ended:
		case <-time.After(patience):
		}
	}
	if ctx.Err() != nil || errors.Is(err, io.EOF) || errors.Is(err, mcp.ErrConnectionClosed) {
		return nil
	}
	return err
}
