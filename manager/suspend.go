package manager

import (
	"context"
	"slices"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/nodetext"
)

// Suspend closes subtrees: from now on requests that touch one of them are refused at once with an
// error that is [treelock.ErrSuspended] and has the reason. So are a Check, and a Widen that adds
// claims there. Suspend returns nil once the requests that were live there, holding or waiting, are
// over or have been narrowed out. Requests inside live grants go on, and keep these live.
//
// resume opens the subtrees again. It is never nil, may be called any number of times, from any
// goroutine, and waits for no client. Suspensions may overlap: a subtree is open once each of them
// was resumed.
//
// If ctx ends first, the error satisfies errors.Is for [treelock.ErrGaveUp], its error and its
// cause, and is a [treelock.BlockedError] that names who is live there, as with [Manager.Drain].
// The subtrees stay suspended until resume, also if ctx had ended before. After an error of a node
// (see [Manager.Acquire]), or [treelock.ErrStopped], nothing is suspended.
//
// If ctx carries grants of m (see [treelock.NewContext]), and to wait would close a circle, the
// error is a [treelock.DeadlockError]. If such a grant is live there, Suspend would wait for its
// own caller: then nothing is suspended. A longer circle is found after Suspend has looked for the
// live requests, and something is suspended until then.
//
// While something is suspended, it costs each request O(d).
func (m *Manager[N]) Suspend(
	ctx context.Context, reason string, nodes ...N,
) (resume func(), err error) {
	s, err := m.newSuspension(reason, nodes)
	if err != nil {
		return func() {}, err
	}
	ended := ctx.Done() // first, as a panic of it must suspend nothing
	// The suspension is in force before the survey looks for live requests. So each request is
	// either refused, or found by the survey.
	under := m.grantsIn(ctx)
	start := suspensionStart[N]{suspension: s, holds: under}
	if !m.inspect(&start) {
		return func() {}, m.stoppedErr()
	}
	if start.deadlock != nil {
		return func() {}, start.deadlock
	}
	// resume waits for no reply, so it cannot know when a pooled call is free again. Its own one
	// has room for the reply, which no client receives.
	resume = func() {
		c := &call[N]{inspector: suspensionEnd[N]{s}, replies: make(chan verdict, 1)}
		m.send(message[N]{kind: kindInspect, call: c})
	}
	return resume, m.awaitSuspension(ctx, ended, s, under)
}

// awaitSuspension collects the requests that are live in s, and waits until they are over. Its
// caller holds the grants in under.
func (m *Manager[N]) awaitSuspension(
	ctx context.Context, ended <-chan struct{}, s *suspension[N], under []treelock.Hold,
) error {
	// A client that gives up leaves complete unset. Then over is never closed, and no other client
	// waits for it.
	collected := m.runSurvey(ended, &survey[N]{reach: s.region, collect: s.add}) == outcomeSent
	complete := suspensionComplete[N]{suspension: s, holds: under}
	if collected && m.inspect(&complete) {
		if complete.deadlock != nil {
			return complete.deadlock
		}
		select {
		case <-s.over:
		case <-ended:
		case <-m.done:
		}
	}
	switch { // several may be closed
	case isClosed(s.over):
		return nil
	case isClosed(ended):
		if len(under) > 0 {
			m.inspect(suspensionGivenUp[N]{s})
		}
		names := m.namesOf(&survey[N]{reach: s.region})
		return withBlockers[N](m.canceledErr(ctx), names.blockedErr("suspend"))
	default:
		return m.stoppedErr()
	}
}

// A suspension closes a set of subtrees. The manager goroutine owns its last fields, and has it in
// loop.suspensions while it is in force. While the survey runs, live grows by what the survey finds
// and shrinks by what ends. From complete on it does not grow, since new requests are refused.
type suspension[N treelock.Node[N]] struct {
	// Immutable.

	reason string
	nodes  []N
	region *locktable.Region[N]   // all nodes
	each   []*locktable.Region[N] // node by node, for errors

	// over is from the manager goroutine to the client of Suspend, and nothing is sent. It is
	// closed once complete is set and live is empty.
	over chan struct{}

	// The manager goroutine's.

	since    instant
	live     map[uint64]bool // the numbers of requests of the manager that are live there
	complete bool            // all of them are in live
	under    []treelock.Hold // the grants that the caller of Suspend holds while it waits
}

// newSuspension returns a suspension of nodes. It runs user code, on the user's goroutine. nodes is
// copied, as errors and snapshots read it later.
func (m *Manager[N]) newSuspension(reason string, nodes []N) (*suspension[N], error) {
	s := &suspension[N]{
		reason: reason, nodes: slices.Clone(nodes), live: map[uint64]bool{}, over: make(chan struct{}),
	}
	var lineages [][]N
	for _, node := range nodes {
		lineage, err := m.wholeLineage(node)
		if err != nil {
			return nil, err
		}
		lineages = append(lineages, lineage)
		s.each = append(s.each, locktable.NewRegion(lineage))
	}
	s.region = locktable.NewRegion(lineages...)
	return s, nil
}

// add adds a request that the survey has found. A grant stays live until the requests inside it
// are over, so these need not be counted. A request that ends or narrows before its visit is
// recorded first, in that step, and then removed. On the manager goroutine.
func (s *suspension[N]) add(r *locktable.Request[N, client[N]]) {
	if r.Who.scope.owner == nil && !foreign(r) {
		s.live[r.Seq()] = true
	}
}

// remove removes the request with this number. On the manager goroutine.
func (s *suspension[N]) remove(number uint64) {
	delete(s.live, number)
	s.check()
}

// check closes over if no request is live any more. As none arrives, that is final.
func (s *suspension[N]) check() {
	if s.complete && len(s.live) == 0 && !isClosed(s.over) {
		close(s.over)
	}
}

// A suspensionStart is the inspector that puts a suspension in force, unless its caller holds a
// grant there. That is looked for first, so a Suspend that waits for its own caller lets no other
// request be refused. Longer circles are known only after the survey.
type suspensionStart[N treelock.Node[N]] struct {
	*suspension[N]
	holds    []treelock.Hold // by the caller
	deadlock error
}

func (s *suspensionStart[N]) inspect(l *loop[N]) {
	for _, r := range l.stillHeld(nil, s.holds) {
		// A grant inside another one closes a longer circle, which names both.
		if r.Who.scope == l.root && r.Reaches(s.region) {
			s.deadlock = l.ownGrant("suspend", r)
			return
		}
	}
	l.readClock()
	s.since = l.now
	l.suspensions = append(l.suspensions, s.suspension)
}

// A suspensionComplete is the inspector that says that all live requests are known. From then on
// the caller of Suspend waits for them, unless that closes a circle: then the suspension ends.
type suspensionComplete[N treelock.Node[N]] struct {
	*suspension[N]
	holds    []treelock.Hold // by the caller
	deadlock error
}

// inspect sets complete, a message after the last step of the survey. Before, an empty live means
// only that the survey has found no request yet. The search for a circle needs all of them, too.
func (s *suspensionComplete[N]) inspect(l *loop[N]) {
	s.complete, s.under = true, s.holds
	s.check()
	if s.deadlock = l.suspendCircle(s.suspension); s.deadlock != nil {
		suspensionEnd[N]{s.suspension}.inspect(l)
	}
}

// A suspensionEnd is the inspector that ends a suspension, once.
type suspensionEnd[N treelock.Node[N]] struct{ *suspension[N] }

// inspect leaves over open. A Suspend that still waits goes on until its requests are over.
func (s suspensionEnd[N]) inspect(l *loop[N]) {
	if i := slices.Index(l.suspensions, s.suspension); i >= 0 {
		l.suspensions = slices.Delete(l.suspensions, i, i+1)
	}
}

// suspendedErr returns the error for a request of the manager that touches a suspended subtree, or
// nil. The request arrives as a probe, as then the table knows its nodes, and ends in the same
// step.
func (l *loop[N]) suspendedErr(claims []locktable.Claim[N]) error {
	if len(l.suspensions) == 0 {
		return nil
	}
	probe := l.table.Submit(claims)
	defer l.table.End(probe)
	l.trace.probed()
	for _, s := range l.suspensions {
		if !probe.Reaches(s.region) {
			continue
		}
		for i, region := range s.each {
			if probe.Reaches(region) {
				l.stats.Suspended++
				return &suspendedError[N]{s.nodes[i], s.reason}
			}
		}
	}
	return nil
}

// leaveSuspensions counts the request with this number as over. It takes the number, as it runs
// after the table has ended the request: until then a survey may add it.
func (l *loop[N]) leaveSuspensions(number uint64) {
	for _, s := range l.suspensions {
		s.remove(number)
	}
}

// leaveNarrowed counts a request that was narrowed as over where it reaches no longer.
func (l *loop[N]) leaveNarrowed(r *request[N]) {
	for _, s := range l.suspensions {
		if s.live[r.Seq()] && !r.Reaches(s.region) {
			s.remove(r.Seq())
		}
	}
}

// mergeWidened counts the grant r in place of its widening, which had this number. The survey may
// not have found the widening yet, and will not: then r counts if it reaches the subtrees now.
func (l *loop[N]) mergeWidened(r *request[N], number uint64) {
	for _, s := range l.suspensions {
		// The grant is added before its widening is removed: otherwise live might be empty between
		// the two, and over closed too early.
		if s.live[number] || !s.complete && r.Reaches(s.region) {
			s.live[r.Seq()] = true
			s.remove(number)
		}
	}
}

// A suspendedError says which subtree is suspended, and why. The manager goroutine makes it, so it
// formats nothing until it is read.
type suspendedError[N treelock.Node[N]] struct {
	node   N
	reason string
}

func (e *suspendedError[N]) Error() string {
	text := treelock.ErrSuspended.Error() + ": " + nodetext.Of(e.node)
	if e.reason != "" {
		text += ": " + nodetext.Escaped(e.reason, maxCauseText/2)
	}
	return text
}

func (e *suspendedError[N]) Unwrap() error { return treelock.ErrSuspended }

// A Suspension describes what a call of [Manager.Suspend] has closed.
type Suspension[N treelock.Node[N]] struct {
	Claims []treelock.Claim[N] `json:"claims"` // the subtrees, as claims to write them
	Reason string              `json:"reason"`
	Since  time.Time           `json:"since"`
	Live   int                 `json:"live"` // requests still live there, as far as known
}

// suspended returns the suspensions in force.
func (l *loop[N]) suspended() (all []Suspension[N]) {
	for _, s := range l.suspensions {
		shown := Suspension[N]{Reason: s.reason, Since: l.m.time(s.since), Live: len(s.live)}
		for _, node := range s.nodes {
			shown.Claims = append(shown.Claims, treelock.Claim[N]{Node: node, Access: treelock.Exclusive})
		}
		all = append(all, shown)
	}
	return all
}
