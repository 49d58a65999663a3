package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/treelock/treelock/cmd/treelock/internal/devetcd"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
	"go.etcd.io/etcd/api/v3/version"
)

// newDev returns the command that runs an etcd server on this machine.
func newDev() *cobra.Command {
	var data, listen string
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run an etcd server on this machine, so that locks work with nothing installed",
		Long: `dev runs an etcd server of one member, until it gets a SIGINT or SIGTERM. It is for the
programs of one user on one machine: it knows no passwords. Without --listen it listens on a
unix socket, which the other commands find by themselves.`,
		Args: cobra.NoArgs,
	}
	set := cmd.Flags()
	set.StringVar(&data, "data", "", "`folder` of its data; with an empty name a temporary one (treelock/dev in the user's cache)")
	set.StringVar(&listen, "listen", "", "`URL` to listen on: unix:///SOCKET or http://127.0.0.1:PORT (the socket that others look for)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		temporary := set.Changed("data") && data == ""
		if err := devDefaults(&data, &listen, temporary); err != nil {
			return err
		}
		return dev(cmd, data, listen, temporary)
	}
	return cmd
}

// devDefaults fills in what flags do not say. Folders of treelock's own are for this user alone.
func devDefaults(data, listen *string, temporary bool) error {
	if *listen == "" {
		socket, err := where.DevSocket()
		if err != nil {
			return configError(fmt.Errorf("find a folder for the socket: %w; see --listen", err))
		}
		if err := private(filepath.Dir(socket)); err != nil {
			return err
		}
		*listen = where.SocketEndpoint(socket)
	}
	if *data != "" || temporary {
		return nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return configError(fmt.Errorf("find a folder for the data: %w; see --data", err))
	}
	*data = filepath.Join(dir, "treelock", "dev")
	return private(filepath.Dir(*data))
}

// private makes a folder that only this user can open.
func private(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700)
}

// dev runs the server, until a signal or a failure ends it. Later signals change nothing: the end
// is quick, as it waits for no client.
func dev(cmd *cobra.Command, data, listen string, temporary bool) (err error) {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	kept := data
	if temporary {
		if data, err = os.MkdirTemp("", "treelock-dev-"); err != nil {
			return err
		}
		defer os.RemoveAll(data)
		kept = data + " until it ends"
	}
	server, err := devetcd.Start(ctx, data, listen, temporary)
	switch {
	case ctx.Err() != nil && err != nil:
		return nil
	case errors.Is(err, devetcd.ErrListen):
		return usageError(fmt.Errorf("--listen: %w", err))
	case errors.Is(err, devetcd.ErrBusy):
		return unavailableError(fmt.Errorf("start etcd: %w", err))
	case err != nil:
		return fmt.Errorf("start etcd: %w", err)
	}
	defer server.Close()
	use := "use it with --etcd " + server.Endpoint
	if socket, err := where.DevSocket(); err == nil && server.Endpoint == where.SocketEndpoint(socket) {
		use = "other commands of this user find it"
	}
	fmt.Fprintf(cmd.OutOrStdout(), "etcd %s runs at %s: %s; its data are in %s\n", version.Version, server.Endpoint, use, kept)
	select {
	case <-ctx.Done():
		return nil
	case err := <-server.Err():
		return fmt.Errorf("etcd has failed: %w", err)
	}
}
