package manager

import "github.com/treelock/treelock"

// Wanted is [treelock.Grant.Wanted].
func (e *engine[N]) Wanted(h treelock.Hold) <-chan struct{} {
	c, _ := e.askFor(h, wantedSignal)
	return c
}

// signalWanted tells the grants that asked, and for which a request waits now. A request has just
// arrived in scope s and waits, or a grant there was widened after it had waited. No other step
// lets a request wait for a grant for which none waited: see [locktable.Request.WaitedFor].
func (l *loop[N]) signalWanted(s *scope[N]) {
	// give replaces a grant in the list by the last one, which was looked at before.
	for i := len(l.asked[wantedSignal]) - 1; i >= 0; i-- {
		if r := l.asked[wantedSignal][i]; l.waitedFor(r, s) {
			l.give(r, wantedSignal)
		}
	}
}

// waitedFor reports whether a request in scope s waits for r or for a grant that r lies inside. If
// s is nil, it means any scope.
func (l *loop[N]) waitedFor(r *request[N], s *scope[N]) bool {
	for ; r != nil; r = r.Who.scope.owner {
		if (s == nil || r.Who.scope == s) && r.WaitedFor() {
			return true
		}
	}
	return false
}
