package cluster

import (
	"slices"

	"github.com/treelock/treelock/internal/terms"
	"github.com/treelock/treelock/manager/cluster/internal/steps"
)

// A tracer tells a test the steps of a log. The manager goroutine owns it.
type tracer struct {
	tell func(steps.Step)
	open []*request // those of the session that have a place and are not known to be granted
}

// step tells a step, and before it the grants that the steps before have led to.
func (l *log) step(s steps.Step) {
	if l.tracer == nil {
		return
	}
	l.stepGrants()
	l.tracer.tell(s)
	if s.Kind == steps.Lost {
		l.tracer.open = nil
	}
}

// stepOf tells a step of a request of this process, unless its session is lost.
func (l *log) stepOf(kind string, r *request) {
	if l.tracer == nil || l.session == nil {
		return
	}
	l.step(steps.Step{Kind: kind, Label: r.entry.Label, Token: r.entry.Token})
	if kind == steps.Placed {
		l.tracer.open = append(l.tracer.open, r)
	}
}

// stepGrants tells which requests are granted.
func (l *log) stepGrants() {
	if l.tracer == nil {
		return
	}
	l.tracer.open = slices.DeleteFunc(l.tracer.open, func(r *request) bool {
		// While it arrives, the manager does not have it in the table.
		if r.ended || !r.arrived || !l.mirror.Granted(&r.entry) {
			return r.ended
		}
		l.tracer.tell(steps.Step{Kind: steps.Granted, Label: r.entry.Label, Token: r.entry.Token})
		return true
	})
}

// stepFenced tells that another session is fenced.
func (l *log) stepFenced(p *peer) {
	if l.tracer == nil {
		return
	}
	for lease, other := range l.peers {
		if other == p {
			l.step(steps.Step{Kind: steps.Fenced, Session: lease})
		}
	}
}

// stepNarrowed tells what a request of this process holds now.
func (l *log) stepNarrowed(r *request, claims []claim) {
	if l.tracer == nil {
		return
	}
	s := steps.Step{Kind: steps.Narrowed, Label: r.entry.Label, Token: r.entry.Token}
	for _, c := range claims {
		s.Claims = append(s.Claims, terms.ClaimOf(c.Lineage[0], c.Mode))
	}
	l.step(s)
}
