package devetcd

import "go.etcd.io/etcd/server/v3/embed"

// startEtcd starts a server. The folder of its socket says which users can open that.
func startEtcd(config *embed.Config) (*embed.Etcd, error) { return embed.StartEtcd(config) }
