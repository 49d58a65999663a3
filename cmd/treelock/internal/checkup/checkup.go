// Package checkup looks at an etcd cluster with the eyes of a user of locks, and says in words what
// is well and what is not. It leaves nothing in etcd.
package checkup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/treelock/treelock/cmd/treelock/internal/where"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/status"
)

// A State says what a finding means.
type State string

// Findings are one of these.
const (
	OK      State = "ok"
	Warn    State = "warn"    // locks work, and something should be better
	Wrong   State = "wrong"   // locks do not work, or not always
	Unknown State = "unknown" // it cannot be known
)

// A Finding is what a check has found.
type Finding struct {
	Check string `json:"check"`
	State State  `json:"state"`
	Text  string `json:"text"` // one line
}

// A Report is all that was found.
type Report struct {
	Answers  bool      `json:"answers"` // at least one endpoint
	OK       bool      `json:"ok"`      // nothing is Wrong
	Findings []Finding `json:"findings"`
}

func (r *Report) add(check string, state State, format string, args ...any) {
	r.OK = r.OK && state != Wrong
	r.Findings = append(r.Findings, Finding{check, state, fmt.Sprintf(format, args...)})
}

// Look checks the etcd that the settings name. It asks all endpoints at once, and then one of those
// that answer. Each answer may take s.Connect.
func Look(ctx context.Context, s *where.Settings) *Report {
	r := &Report{OK: true}
	var reached []*member
	for _, m := range askAll(ctx, s) {
		if m.report(r); m.answers {
			r.Answers = true
		}
		if m.status != nil {
			reached = append(reached, m)
		}
	}
	if len(reached) == 0 {
		return r
	}
	oneCluster(r, reached)
	client, err := clientOf(s, reached)
	if err != nil {
		r.add("connection", Wrong, "%s", reason(err, s.Connect))
		return r
	}
	defer client.Close()
	p := &prefix{r, s, client}
	if p.permissions(ctx) {
		p.format(ctx)
		p.latency(ctx)
		p.compaction(ctx, manyRevisions)
	}
	quota(r, reached)
	clocks(ctx, r, s, reached)
	return r
}

// clientOf returns a client of the members that have answered.
func clientOf(s *where.Settings, reached []*member) (*clientv3.Client, error) {
	config := s.Config()
	config.Endpoints = nil
	for _, m := range reached {
		config.Endpoints = append(config.Endpoints, m.endpoint)
	}
	return clientv3.New(config)
}

// reason returns what an error of etcd says, in one line.
func reason(err error, within time.Duration) string {
	var refused rpctypes.EtcdError
	switch {
	case errors.As(err, &refused):
		return refused.Error()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fmt.Sprintf("no answer within %v", within)
	}
	return status.Convert(err).Message()
}
