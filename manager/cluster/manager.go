package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
	"github.com/treelock/treelock/manager/cluster/internal/steps"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A Manager grants requests for paths, in one order with all managers of its prefix. Get one from
// [Start]; the zero Manager is of no use. It has the methods of [manager.Manager], which can be
// given to whatever takes one, such as package page. Any goroutine may call them.
//
// Two things are different. [treelock.Grant.Widen] fails with [errors.ErrUnsupported], and the
// grant keeps what it holds: acquire all of it at once, or acquire a larger subtree and lock inside
// it, as a sub-grant can be widened there. And [Manager.Guard], which is a method of this type
// alone, brings a condition for transactions in etcd; a grant that has one cannot be narrowed.
type Manager struct {
	*manager.Manager[treelock.Path]
	options
	client *clientv3.Client
	keys   keys
	log    *log
	life   context.Context // ends when the manager has stopped
	ended  chan struct{}   // closed when all goroutines have ended; nothing is sent
}

// Start starts a manager. One prefix of one etcd cluster is one tree: all managers of the tree,
// in all processes, must be started with it. The client belongs to the caller, who closes it after
// [Manager.Done].
//
// Start returns once the manager knows all requests of the other processes, which it reads in one
// call. It waits at most until ctx ends, or for a time to live of the lease (see [WithTTL]): then
// the error says what etcd did not do. Nothing is held, and nothing stays under the prefix but the
// version of the format.
//
// The manager ends when ctx ends, as [manager.Start] describes it. What it held is free for other
// processes at once if etcd can be reached, else after the time to live.
//
// If the lease is lost, all grants are lost, and all waiting requests fail with
// [treelock.ErrLost]: see [treelock.Grant.Lost]. The manager then begins a new lease, and later
// requests wait for that.
func Start(ctx context.Context, client *clientv3.Client, prefix string, opts ...Option) (*Manager, error) {
	o := buildOptions(opts)
	ns := strings.TrimRight(prefix, "/")
	switch {
	case ns == "":
		return nil, errors.New("treelock: the prefix is empty")
	case len(ns) > maxPrefixLen:
		return nil, fmt.Errorf("treelock: the prefix has %d bytes, and at most %d are allowed", len(ns), maxPrefixLen)
	}
	m := &Manager{options: o, client: client, keys: keys{ns}, log: newLog(o.name), ended: make(chan struct{})}
	m.life, m.log.stop = context.WithCancel(context.WithoutCancel(ctx))
	start, cancel := context.WithTimeout(ctx, o.ttl)
	defer cancel()
	header, version, err := m.checkFormat(start)
	if err != nil {
		m.log.stop()
		return nil, m.startErr(ctx, err)
	}
	if tell := steps.FromContext(ctx); tell != nil {
		m.log.tracer = &tracer{tell: tell}
	}
	asked := m.askOwners()
	m.Manager = manager.Start(ctx, append(o.local, manager.WithJournal(m.log))...)
	<-m.log.started
	c, err := m.open(start, header.ClusterId, version)
	if err != nil {
		m.Manager.Shutdown(canceled(ctx))
		return nil, m.startErr(ctx, err)
	}
	go m.run(c, asked)
	return m, nil
}

// canceled returns a context with the values of ctx that has ended.
func canceled(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

// startErr says what Start could not do, and with what.
func (m *Manager) startErr(ctx context.Context, err error) error {
	// The manager may stop, or lose its lease, because ctx has ended: then that is the reason.
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		err = fmt.Errorf("%w: %w", ended, err)
	}
	if why := m.unreachable(); why != "" {
		err = fmt.Errorf("%w; no server can be reached: %s", err, why)
	}
	return fmt.Errorf("treelock: start a manager for prefix %q of etcd at %s: %w",
		m.keys.ns, strings.Join(m.client.Endpoints(), ", "), err)
}

// unreachable returns why no server can be reached, or "" if one can, or if that is not known at
// once. The client itself tries again without a word until its context ends.
func (m *Manager) unreachable() string {
	ctx, cancel := context.WithTimeout(context.Background(), attemptPause)
	defer cancel()
	_, err := pb.NewKVClient(m.client.ActiveConnection()).Range(ctx, &pb.RangeRequest{Key: []byte(m.keys.meta())})
	if status.Code(err) != codes.Unavailable {
		return ""
	}
	return status.Convert(err).Message()
}

// report logs a failure of etcd, and lets the errors of waiting requests tell of it. What fails in
// the same way again and again is logged every repeatTime.
func (m *Manager) report(what string, err error) {
	tell := true
	m.log.mirror.Do(func() {
		m.log.trouble = fmt.Errorf("%s: %w", what, err)
		last, now := m.log.reports[what], time.Now()
		if tell = last.text != err.Error() || now.Sub(last.at) >= repeatTime; tell {
			m.log.reports[what] = report{err.Error(), now}
		}
	})
	if tell {
		m.logger.Warn("treelock: "+what, slog.String("prefix", m.keys.ns), slog.Any("error", err))
	}
}

// repeatTime is how often a failure is logged that repeats.
const repeatTime = 10 * time.Second

// A report is the latest one of a kind.
type report struct {
	text string
	at   time.Time
}

// Done returns a channel that is closed once the manager has stopped and all its goroutines have
// ended.
func (m *Manager) Done() <-chan struct{} { return m.ended }

// Deadline returns until when the grants of this process count if its lease is not renewed any
// more. A renewal, every third of the time to live, makes it later. At the deadline Lost of all
// grants is closed, at least a tenth of the time to live before etcd gives them to other processes.
// So a program that needs time to end its work on what it holds begins before that. The time is
// zero while there is no lease. It costs a message to the manager goroutine, and never waits for
// etcd.
func (m *Manager) Deadline() (deadline time.Time) {
	m.log.mirror.Do(func() {
		if s := m.log.session; s != nil {
			deadline = s.deadline
		}
	})
	return deadline
}

// Shutdown is [manager.Manager.Shutdown]: it waits until the requests of this process are over,
// stops the manager, and returns once Done is closed. What it held is then free for other
// processes. If etcd cannot be reached, that is after the time to live, and the end takes up to a
// second longer.
func (m *Manager) Shutdown(ctx context.Context) error {
	err := m.Manager.Shutdown(ctx)
	var deadlock *treelock.DeadlockError[treelock.Path]
	if !errors.As(err, &deadlock) {
		<-m.ended
	}
	return err
}

// Check is [manager.Manager.Check]. It asks etcd how far the log is, and answers when the mirror is
// as far: two round trips. The answer is true at a moment between the call and its return. If there
// is no answer, the error says why: ctx has ended, etcd has refused, there is no lease at the
// moment, or the manager has stopped, which is [treelock.ErrStopped].
func (m *Manager) Check(ctx context.Context, req treelock.Request[treelock.Path]) error {
	return m.whileFresh(ctx, fmt.Sprintf("check (%v)", req), func() error { return m.Manager.Check(ctx, req) })
}
