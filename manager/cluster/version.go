package cluster

import (
	"context"
	"fmt"
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// oldest is the oldest version of etcd that serves. An earlier one may say that a watch is further
// than it is (go.etcd.io/etcd issues 15220 and 17507), so the mirror would miss entries.
var oldest = version{3, 5, 13}

// A version is a version of etcd: major, minor, patch.
type version [3]int

// parseVersion parses the beginning of text. What follows, as of "3.6.0-rc.1", does not count.
func parseVersion(text string) (v version, err error) {
	if _, err := fmt.Sscanf(text, "%d.%d.%d", &v[0], &v[1], &v[2]); err != nil {
		return v, fmt.Errorf("the version of etcd is not known: it says %.40q", text)
	}
	return v, nil
}

// String returns v as etcd writes it.
func (v version) String() string { return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]) }

// checkVersion returns an error if the server that answers is too old.
func (m *Manager) checkVersion(ctx context.Context) error {
	status, err := attempts(ctx, m.client, func(ctx context.Context) (*pb.StatusResponse, error) {
		return pb.NewMaintenanceClient(m.client.ActiveConnection()).Status(ctx, &pb.StatusRequest{})
	}, ifUnavailable)
	if err != nil {
		return fmt.Errorf("ask for the version of etcd: %w", err)
	}
	have, err := parseVersion(status.Version)
	if err == nil && slices.Compare(have[:], oldest[:]) < 0 {
		err = fmt.Errorf("the version of etcd is %v, and %v or later is needed", have, oldest)
	}
	return err
}
