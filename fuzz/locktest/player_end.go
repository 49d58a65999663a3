package locktest

import (
	"strings"

	"github.com/treelock/treelock/fuzz/internal/history"
)

// end returns the command that drains the lock, or stops it, most often if it drains already.
func (p *player[N]) end(op history.Op) string {
	drains := p.judge.World().Draining
	switch {
	case p.hostility == nil && p.lock.Suspend != nil && op.Verb == history.Drain && op.Nest != history.Alone:
		return p.suspend(op)
	case p.hostility != nil && op.Extra[3] > 50: // else most hostile histories would be short
		return "open"
	case op.Verb == history.Drain && p.lock.Drain != nil && (!drains || op.Way == history.Try):
		within := ""
		if op.Way == history.AcquireEnded {
			within = " within 0s"
		} else if op.Odd() {
			within = " within 10ms"
		}
		return "drain " + p.name(op) + within
	case p.lock.Done != nil:
		return "stop enough"
	}
	return ""
}

// suspend returns the command that suspends the nodes of op, or that resumes them.
func (p *player[N]) suspend(op history.Op) string {
	if op.Nest == history.Widen {
		return p.resume()
	}
	name := p.name(op)
	p.suspensions = append(p.suspensions, name)
	words := []string{"suspend", name}
	if owner := p.owner(op); owner != nil && op.Nest == history.Under {
		words = append(words, "under", owner.name)
	}
	if op.Way == history.AcquireEnded {
		words = append(words, "within", "0s")
	} else if op.Odd() {
		words = append(words, "within", "10ms")
	}
	for c := range op.Request().Claims() {
		words = append(words, string(c.Node))
	}
	return strings.Join(words, " ")
}

// resume returns the command that resumes the first suspension, "" if there is none or it still
// waits.
func (p *player[N]) resume() string {
	if len(p.suspensions) == 0 {
		return ""
	}
	name := p.suspensions[0]
	if c := p.find(name); c == nil || c.state != over || c.resume == nil {
		return ""
	}
	p.suspensions = p.suspensions[1:]
	return "resume " + name
}
