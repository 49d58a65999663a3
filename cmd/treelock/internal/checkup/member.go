package checkup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/treelock/treelock/cmd/treelock/internal/where"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A member is what one endpoint says.
type member struct {
	endpoint string
	answers  bool                     // it answers, and may refuse
	status   *clientv3.StatusResponse // nil if it does not say it
	err      string                   // why not
}

// oldest is the oldest version of etcd that package cluster takes.
var oldest = [3]int{3, 5, 13}

// askAll asks all endpoints for their status, at once.
func askAll(ctx context.Context, s *where.Settings) []*member {
	members := make([]*member, len(s.Endpoints))
	done := make(chan struct{}, len(members)) // has room for all
	for i, endpoint := range s.Endpoints {
		members[i] = &member{endpoint: endpoint}
		go func() {
			members[i].ask(ctx, s)
			done <- struct{}{}
		}()
	}
	for range members {
		<-done
	}
	return members
}

// ask asks one endpoint. Its client knows no other.
func (m *member) ask(ctx context.Context, s *where.Settings) {
	ctx, cancel := context.WithTimeout(ctx, s.Connect)
	defer cancel()
	config := s.Config()
	config.Endpoints, config.Context = []string{m.endpoint}, ctx
	client, err := clientv3.New(config)
	if err == nil {
		defer client.Close()
		m.status, err = client.Status(ctx, m.endpoint)
	}
	if err == nil {
		m.answers = true
		return
	}
	m.status, m.err = nil, reason(err, s.Connect)
	if _, m.answers = rpctypes.Error(err).(rpctypes.EtcdError); !m.answers {
		if why := unreachable(s, m.endpoint); why != "" {
			m.err += ": " + why
		}
	}
}

// unreachable returns why an endpoint cannot be reached, if that is known soon.
func unreachable(s *where.Settings, endpoint string) string {
	config := s.Config()
	// Without a user New does not wait.
	config.Endpoints, config.Username, config.Password = []string{endpoint}, "", ""
	client, err := clientv3.New(config)
	if err != nil {
		return ""
	}
	defer client.Close()
	return where.Unreachable(client)
}

// report says whether the endpoint answers, and whether its version will do.
func (m *member) report(r *Report) {
	if m.status == nil {
		verb := "does not answer"
		if m.answers {
			verb = "refuses"
		}
		r.add("endpoint", Wrong, "%s %s: %s", m.endpoint, verb, m.err)
		return
	}
	r.add("endpoint", OK, "%s answers", m.endpoint)
	version, err := parseVersion(m.status.Version)
	switch {
	case err != nil:
		r.add("version", Wrong, "%s: %v", m.endpoint, err)
	case slices.Compare(version[:], oldest[:]) < 0:
		r.add("version", Wrong, "%s is etcd %s, and 3.5.13 or later is needed", m.endpoint, m.status.Version)
	default:
		r.add("version", OK, "%s is etcd %s", m.endpoint, m.status.Version)
	}
	switch {
	case m.status.Leader == 0:
		r.add("leader", Wrong, "%s knows no leader: most members of its cluster do not reach one another", m.endpoint)
	case m.status.IsLearner:
		r.add("leader", Wrong, "%s is a learner, which serves no locks", m.endpoint)
	}
}

// parseVersion parses the beginning of a version. What follows, as of "3.6.0-rc.1", does not count.
func parseVersion(text string) (v [3]int, err error) {
	if _, err := fmt.Sscanf(text, "%d.%d.%d", &v[0], &v[1], &v[2]); err != nil {
		return v, fmt.Errorf("the version of etcd is not known: it says %.40q", text)
	}
	return v, nil
}

// oneCluster checks that all endpoints are of one cluster: else each process would lock in the one
// that it reaches.
func oneCluster(r *Report, reached []*member) {
	first := reached[0]
	for _, m := range reached[1:] {
		if m.status.Header.ClusterId != first.status.Header.ClusterId {
			r.add("cluster", Wrong, "%s and %s are of two clusters", first.endpoint, m.endpoint)
			return
		}
	}
}

// fullness is the part of the quota from which on a full etcd is near.
const fullness = 0.8

// quota says how full the members are, and what alarms they tell of.
func quota(r *Report, reached []*member) {
	for _, m := range reached {
		s := m.status
		size, limit := float64(s.DbSize), float64(s.DbSizeQuota)
		switch {
		case len(s.Errors) > 0:
			r.add("quota", Wrong, "%s tells of %s; new requests wait until there is room and the alarm is disarmed",
				m.endpoint, strings.Join(s.Errors, ", "))
		case limit == 0:
			r.add("quota", Unknown, "%s has %s of data and no alarm, and does not tell its quota", m.endpoint, bytes(size))
		case size > fullness*limit:
			r.add("quota", Warn, "%s has %s of data, of %s at most; %s are in use", m.endpoint, bytes(size), bytes(limit), bytes(float64(s.DbSizeInUse)))
		default:
			r.add("quota", OK, "%s has %s of data, of %s at most, and no alarm", m.endpoint, bytes(size), bytes(limit))
		}
	}
}

// bytes returns a number of bytes for readers.
func bytes(n float64) string {
	for _, unit := range []string{"B", "KiB", "MiB"} {
		if n < 1024 {
			return fmt.Sprintf("%.4g %s", n, unit)
		}
		n /= 1024
	}
	return fmt.Sprintf("%.4g GiB", n)
}
