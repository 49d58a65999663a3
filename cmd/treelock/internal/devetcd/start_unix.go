//go:build unix

package devetcd

import (
	"syscall"

	"go.etcd.io/etcd/server/v3/embed"
)

// startEtcd starts a server whose files and socket are for this user alone from the start. A
// connection that was made before a change of the mode would stay.
func startEtcd(config *embed.Config) (*embed.Etcd, error) {
	defer syscall.Umask(syscall.Umask(0o077))
	return embed.StartEtcd(config)
}
