package main

// A mutant is a fault in one line of the library.
type mutant struct {
	name string
	file string
	old  string // must be in the file exactly once
	new  string
}

const (
	modes    = "waitqueue/mode.go"
	queue    = "waitqueue/queue.go"
	list     = "waitqueue/list.go"
	mErrors  = "manager/errors.go"
	acquire  = "manager/acquire.go"
	calls    = "manager/call.go"
	withdraw = "manager/withdraw.go"
	release  = "manager/release.go"
	grant    = "manager/grant.go"
	cancel   = "manager/cancel.go"
	explain  = "manager/explain.go"
	narrow   = "manager/narrow.go"
	drain    = "manager/drain.go"
	stop     = "manager/stop.go"
	ticket   = "manager/ticket.go"
	message  = "manager/message.go"
	lineage  = "manager/lineage.go"
	options  = "manager/options.go"
	revoke   = "manager/revoke.go"
	lost     = "manager/lost.go"
	wanted   = "manager/wanted.go"
	signals  = "manager/signal.go"
	waited   = "internal/locktable/wanted.go"
	crowd    = "internal/locktable/crowd.go"
	table    = "internal/locktable/table.go"
	shrink   = "internal/locktable/narrow.go"
	insides  = "internal/locktable/inside.go"
	scopes   = "manager/scope.go"
	widens   = "manager/widen.go"
	circles  = "manager/deadlock.go"
	nodes    = "internal/locktable/node.go"
	requests = "internal/locktable/request.go"
	widening = "internal/locktable/widen.go"
	circle   = "internal/locktable/circle.go"
	search   = "waitqueue/search.go"
	blockers = "internal/locktable/blockers.go"
	conflict = "internal/locktable/conflict.go"
	claimed  = "internal/locktable/claimlist.go"
	children = "internal/locktable/children.go"
	long     = "internal/locktable/longnames.go"
	claims   = "claimjson.go"
	exact    = "internal/nodetext/exact.go"
	walk     = "internal/nodetext/walk.go"
	phrases  = "internal/nodetext/blocker.go"
	shown    = "manager/queues.go"
	suspend  = "manager/suspend.go"
	suspends = "manager/suspendcircle.go"
	shutdown = "manager/shutdown.go"
)

var mutants = []mutant{
	// The compatibility matrix.
	{"IR lets a TW in", modes, "IR: set(0, 0, 0, 0, 0, x)", "IR: set(0, 0, 0, 0, 0, 0)"},
	{"IW lets a TR in", modes, "IW: set(0, 0, 0, 0, x, x)", "IW: set(0, 0, 0, 0, 0, x)"},
	{"NR lets a NW in", modes, "NR: set(0, 0, 0, x, 0, x)", "NR: set(0, 0, 0, 0, 0, x)"},
	{"TW lets a NR in", modes, "TW: set(x, x, x, x, x, x)", "TW: set(x, x, 0, x, x, x)"},
	{"TR keeps a TR out", modes, "TR: set(0, x, 0, x, 0, x)", "TR: set(0, x, 0, x, x, x)"},
	{"IR keeps a TR out", modes, "IR: set(0, 0, 0, 0, 0, x)", "IR: set(0, 0, 0, 0, x, x)"},
	{"a write below intends to read", modes, "if m.Parts()&(1<<IW|1<<NW|1<<TW) != 0 {", "if m.Parts()&(1<<IW|1<<TW) != 0 {"},
	{"a mode is dropped that nothing covers", modes, "together |= conflicts[rest.First()]", "together = conflicts[rest.First()]"},

	// The order in a queue.
	{"a request overtakes those that wait", queue, "if conflicts[mode]&(t.admitted|t.waiting) != 0 {", "if conflicts[mode]&t.admitted != 0 {"},
	{"a request waits for itself", queue, "if q.earliest(conflicting.First()) < e.seq {", "if q.earliest(conflicting.First()) <= e.seq {"},
	{"an arrival goes to the front", list, "first.prev.next = e\n\t\tfirst.prev = e\n", "first.prev.next = e\n\t\tfirst.prev = e\n\t\t*head = e\n"},
	{"lost wake-up: one mode is woken only", queue, "affected != 0; affected = affected.WithoutFirst() {", "affected != 0; affected = 0 {"},
	{"lost wake-up: one entry is woken only", queue, "\n\t\tadmitted = append(admitted, e)\n\t}\n\tif", "\n\t\tadmitted = append(admitted, e)\n\t\tbreak\n\t}\n\tif"},
	{"lost wake-up: the end of the middle", queue, "wasHead := *q.head(e) == e", "wasHead := *q.head(e) == e && e.next != e"},
	{"double grant: the queue forgets who is admitted", queue, "\n\t\tq.remove(e)\n\t\tq.add(mode)\n", "\n\t\tq.remove(e)\n"},
	{"a narrowed hold lets its waiters in", shrink, "\tt.requeueAll()\n", "\tt.requeued = reuse(t.requeued)\n"},
	{"a narrowed hold goes to the end", queue, "*q.insert(e) = e", "q.insert(e)"},

	// The table.
	{"half a request is enough", table, "t.enqueue(r, len(uses)-1)\n", "if r.blocked == 0 {\n\t\t\t\tt.enqueue(r, len(uses)-1)\n\t\t\t} else {\n\t\t\t\tn.queue.ForceAdmit(mode)\n\t\t\t}\n"},
	{"a lineage is planned up to a known node", table, "} else if i > 0 && n.modes.Has(mode) {", "} else if i > 0 {"},
	{"the old goes before the new comes", shrink, "\tfor i := range uses {\n\t\tuses[i].node.queue.ForceAdmit", "\tt.leave(r.uses)\n\tr.uses = nil\n\tfor i := range uses {\n\t\tuses[i].node.queue.ForceAdmit"},
	{"the old stays when the new comes", shrink, "\tt.leave(old)\n", "\t_ = old\n"},
	{"held: a node by name counts as its subtree", shrink, "claim.Mode, name == first.node.name)", "claim.Mode, true)"},
	{"a read is narrowed to a write", insides, "held.Has(waitqueue.TR) && !writes", "held.Has(waitqueue.TR) && (!writes || true)"},
	{"a node that is used is evicted", nodes, "\tif !n.queue.Empty() {\n\t\treturn\n\t}\n\tn.unlink()", "\tn.unlink()"},
	{"a number is used twice", requests, "t.lastSeq++\n", "if len(t.storage.freeRequests) > 2 {\n\t\tt.lastSeq--\n\t}\n\tt.lastSeq++\n"},

	{"lost wake-up: who waited for several is forgotten", table, "r.uses[w.use].waiting = false\n\t\tr.blocked--\n", "r.uses[w.use].waiting = false\n\t\tr.blocked -= min(r.blocked, 2)\n"},
	{"double grant: a withdrawal leaves where it waited", table, "\t\t*use = nodeUse[N, W]{}\n", ""},
	{"leak: a withdrawal stays where it was admitted", table, "\tif r.blocked > 0 {\n\t\tt.withdraw(r)\n\t}\n", "\tif r.blocked > 0 {\n\t\tt.withdraw(r)\n\t\tr.uses = r.uses[:0]\n\t}\n"},
	{"a narrowed hold revokes the earliest first", shrink, "cmp.Compare(b.seq, a.seq)", "cmp.Compare(a.seq, b.seq)"},
	{"a narrowed hold revokes who is not in its way", shrink, "!use.waiting && t.conflictsWithPlan(use)", "!use.waiting && use.node.plan == t.plan"},
	{"a parent that has left the table is used", nodes, "parent != nil && parent.inTable &&", "parent != nil &&"},

	// The blockers that are named.
	{"blockers: those that wait are not found", blockers, "\t\ts.add(w.request, w.use, i)\n", "_ = w\n"},
	{"blockers: those that write below are not found", blockers, "for kind := writing; kind >= reading; kind-- {", "for kind := reading; kind >= reading; kind-- {"},
	{"blockers: those that read below are not found", blockers, "for kind := writing; kind >= reading; kind-- {", "for kind := writing; kind > reading; kind-- {"},
	{"blockers: who came later is found", blockers, "WaitingBefore(s.request.seq, 1<<mode)", "Waiting(1<<mode)"},
	{"blockers: those below are not all looked for", blockers, "\tif !s.add(r, theirs, i) {\n", "\tif s.add(r, theirs, i); false {\n"},
	{"blockers: claims that are no reason", conflict, "if as.First().Conflicts(bs.First()) {", "if true {"},
	{"blockers: a claim that is elsewhere", conflict, "j > 0 && r.uses[j-1].node.parent == r.uses[j].node; j--", "j > 0; j--"},
	{"blockers: a claim below that does not conflict", conflict, "part.Claims() && part.Intention().Conflicts(mode) {", "part.Claims() {"},
	{"blockers: not the earliest", blockers, "} else if s.found[at-1].request.seq < r.seq {", "} else {"},
	{"blockers: one is counted twice", blockers, "\tif known > s.before {\n\t\treturn true // at another node\n\t}\n", ""},
	{"children: one that is written again is not linked", table, "\t\tif parent != nil && n.linkedAs < need {\n\t\t\tn.linkUnder(parent, need)\n\t\t}\n\t\tn = parent\n\t}\n\tr.uses", "\t\tif parent != nil && n.linkedAs == inactive {\n\t\t\tn.linkUnder(parent, need)\n\t\t}\n\t\tn = parent\n\t}\n\tr.uses"},
	{"children: a node that has moved stays", nodes, "\tn.unlink()\n\tswitch {", "\tswitch {"},
	{"children: an evicted node stays", nodes, "\tn.unlink()\n\tn.children.unlinkAll()\n", "\tn.children.unlinkAll()\n"},
	{"children: those of an evicted node stay", nodes, "\tn.children.unlinkAll()\n", ""},
	{"paths: the hash of a parent is wrong", long, "hash := n.long.hash - step", "hash := n.long.hash - step + 1"},
	{"claimed: the last one stays", claimed, "\t\t\tfirst.prev = l.prev // it was the last one\n", ""},
	{"claimed: further claims stay", claimed, "\t\tuse.node.removeClaim(l, use.mode)\n", "\t\t_ = use\n"},

	// The manager.
	{"leak: a withdrawal that meets the grant", withdraw, "r.Waiting() || t.reclaimGrant()) {", "r.Waiting()) {"},
	{"leak: the end of a context is not sent", cancel, "\tif !m.send(message[N]{kind: kindCancel, call: c}) {\n\t\treturn g, nil", "\tif true {\n\t\treturn g, nil"},
	{"leak: a refused request stays", acquire, "s.table.End(r) // r is the latest request, so no request waits for it\n", ""},
	{"double grant: a withdrawn ticket delivers", withdraw, "case _, ok := <-t.granted:\n\t\treturn ok", "case g, ok := <-t.granted:\n\t\tif ok && t.m.ctx.Err() == nil {\n\t\t\tgo func() { t.granted <- g }()\n\t\t}\n\t\treturn ok"},
	{"lost wake-up: a withdrawal wakes no waiter", withdraw, "\t\tl.release(r, t.seq) //", "\t\tl.table.End(r) //"},
	{"lost wake-up: a release wakes no waiter", release, "\tl.end(r)\n}\n\n// fail", "\tl.table.End(r)\n}\n\n// fail"},
	{"lost wake-up: narrowing wakes no waiter", narrow, "l.deliverAll(granted)", "l.deliverAll(granted[:0])"},
	{"lost wake-up: a withdrawal is not confirmed", withdraw, "\tc.replies <- verdictDone\n", "\tif t.req == nil {\n\t\tc.replies <- verdictDone\n\t}\n"},
	{"lost wake-up: draining misses an end", acquire, "\tl.checkDrained()\n", ""},
	{"an old grant releases another request", release, "r.Seq() != seq {", "r.Seq() == 0 {"},
	{"inside: a grant that has ended counts as none", acquire, "if ref != nil || l.draining", "if requestOf[N](ref) != nil || l.draining"},
	{"an old grant narrows another request", scopes, "r.Seq() == seq &&", "r.Seq() != 0 &&"},
	{"leak: a widening waits for good in the limit", widens, "\tl.waiting--\n", ""},
	{"inside: a sub-grant widens out of its grant", widens, "owner := r.Who.scope.owner; owner != nil {", "owner := r.Who.scope.owner; owner != nil && r.Seq() == 0 {"},
	{"inside: a released grant still admits", scopes, "(r.Who.extra == nil || !r.Who.extra.released)", "(r.Who.extra == nil || r.Who.extra.inner != nil)"},
	{"circle: a sub-grant does not keep its grant", circles, "case r.Granted() && owner != nil:", "case r.Granted() && owner == r:"},
	{"circle: what the caller holds does not count", circles, "grants = append(grants, g.Hold())", "_ = g"},
	{"inside: a release leaves what waits inside", release, "l.failInside(x.inner, treelock.ErrReleased)", "l.failInside(x.inner, nil)"},
	{"race: a call is used again too early", cancel, "\tfor <-c.replies != verdictCanceled {\n\t}\n", ""},
	{"lost wake-up: who gives up is not answered", cancel, "\tc.confirmCancel(why)\n", "\t_ = why\n"},
	{"stop strands who gives up", stop, "\t\tmsg.call.confirmCancel(nil)\n", ""},
	{"race: Withdraw does not wait", withdraw, "if t.m.send(message[N]{kind: kindWithdraw, call: c}) && <-c.replies == verdictDone {", "if t.m.send(message[N]{kind: kindWithdraw, call: c}) {"},
	{"race: the inbox is not sealed", stop, "\tl.m.seal(err)\n", ""},
	{"leak: a manager that was shut down waits for its context", stop, "\tcase <-m.done:\n", "\tcase <-make(chan int):\n"},
	{"stop strands those that wait", calls, "\t\tc.call.refuse(err)\n", ""},
	{"stop strands tickets", calls, "\t\tc.ticket.endWith(err)\n", ""},
	{"stop strands those in the inbox", stop, "case kindAcquire, kindWithdraw, kindNarrow, kindWiden, kindRevoke, kindInspect:\n", "case kindWithdraw, kindNarrow, kindWiden, kindRevoke, kindInspect:\n"},
	{"lost wake-up: a patient client is not answered", calls, "\tif !c.expectWait {\n\t\tc.replies <- verdictMustWait", "\tif c.expectWait {\n\t\tc.replies <- verdictMustWait"},
	{"leak: who gives up is not looked for", cancel, "r != nil && (!c.widens || r.Waiting()) {", "r != nil && r.Waiting() {"},
	{"a ticket that ended says nothing", ticket, "{ s.err = s.t.endErr() }", "{}"},
	{"the limit lets one more wait", acquire, "l.waiting >= l.m.maxWaiting", "l.waiting > l.m.maxWaiting"},
	{"a draining manager lets requests in", acquire, "if l.draining && l.placing.now == nil {", "if l.draining && l.placing.now == nil && l.table.Live() == 0 {"},
	{"drained too early", drain, "l.live == 0", "l.waiting == 0"},
	{"TryAcquire waits", acquire, "case c.mode == modeNoWait:", "case c.mode == modeNoWait && l.draining:"},
	{"tokens do not grow", grant, "l.nextToken++", "l.nextToken += l.nextToken & 1"},
	{"the first token is forgotten", options, "o.firstToken = max(token, 1)", "o.firstToken = max(min(token, 1), 1)"},
	{"the cause of a context is lost", mErrors, "err, cause := ctx.Err(), context.Cause(ctx)", "err, cause := ctx.Err(), ctx.Err()"},
	{"the cause of a stop is lost", mErrors, "return []error{treelock.ErrStopped, cause}", "return []error{treelock.ErrStopped}"},
	{"stop says that tickets were withdrawn", calls, "\t\tc.ticket.endWith(err)\n", "\t\tc.ticket.endWith(treelock.ErrWithdrawn)\n"},
	{"a ticket ends with the context of its submission", ticket, "\treturn t, nil\n", "\tcontext.AfterFunc(ctx, t.Withdraw)\n\treturn t, nil\n"},
	{"TryAcquire says busy", acquire, "case c.mode == modeNoWait:", "case c.mode == modeNoWait && !(l.m.maxWaiting >= 0 && l.waiting >= l.m.maxWaiting):"},
	{"a context that has ended is not looked at", acquire, "if ctx.Err() != nil {", "if false && ctx != nil {"},
	{"lineages have no limit", lineage, "if length++; length > limit {", "if length++; length > 1<<16 {"},
	{"values are not vetted", lineage, "if again := node; again != node {", "if again := node; again == node {\n\t\treturn nil\n\t} else if false {"},
	{"ancestors are not vetted", lineage, "\t\tif err := checkComparable(node); err != nil {", "\t\tif err := checkComparable(node); err != nil && length == 1 {"},

	// Changes of a kind that the tests above had not seen.
	{"fresh: the end of a head looks at another mode", queue, "return q.Advance(e.mode, admitted)", "return q.Advance(e.mode&^1, admitted)"},
	{"fresh: a list begins with its last", list, "*head = e.next\n", "*head = e.prev\n"},
	{"fresh: who is revoked twice counts once", shrink, "\t\tr.blocked++\n", "\t\tr.blocked = 1\n"},
	{"fresh: who is revoked is not marked", shrink, "\t\tuse.waiting = true\n", ""},
	{"fresh: narrowing yields to the next in line", shrink, "if earliest < r.seq {", "if earliest <= r.seq+1 {"},
	{"fresh: a waiter is revoked once for each node", shrink, "return slices.Compact(waiters)", "return waiters"},
	{"fresh: a write of a node holds no read of it", insides, " || held.Has(waitqueue.NW) && mode == waitqueue.NR", ""},
	{"fresh: what holds a node holds those below", insides, "case here:", "case here || true:"},
	{"fresh: drained and then stopped is an error", drain, "case isClosed(m.drainDone):", "case isClosed(m.drainDone) && !isClosed(m.done):"},

	// The shell of goroutines: contexts, drains, and what clients are told.
	{"shell: a refusal is taken for the end of a context", acquire, "return v != verdictDone || !isClosed(ended)", "return v == verdictDone && !isClosed(ended)"},
	{"shell: a granted request that is cancelled is explained", explain, "r.Seq() != seq || !r.Waiting() {", "r.Seq() != seq {"},
	{"suspend: it is over before its survey is", suspend, "if s.complete && len(s.live) == 0", "if len(s.live) == 0"},
	{"suspend: a widening that ends the survey first is lost", suspend, "s.live[number] || !s.complete && r.Reaches(s.region)", "s.live[number]"},
	{"suspend: a widening is not counted as its grant", suspend, "s.live[r.Seq()] = true\n\t\t\ts.remove", "s.remove"},
	{"suspend: what was narrowed away still counts", suspend, "s.live[r.Seq()] && !r.Reaches(s.region)", "false"},
	{"suspend: a caller may wait for itself", suspends, "if len(held) == 0 {", "if true {"},
	{"suspend: a widening of the caller does not count", suspends, " || r.Widening() != nil && s.live[r.Widening().Seq()]", ""},
	{"suspend: other calls do not know what the caller holds", circles, "if s.live[r.Seq()] {", "if false {"},
	{"suspend: a wait that was given up counts", suspend, "m.inspect(suspensionGivenUp[N]{s})", "_ = under"},
	{"suspend: a refused one stays in force", suspend, "suspensionEnd[N]{s.suspension}.inspect(l)", "_ = l"},
	{"suspend: a widening adds what is suspended", widens, "if len(l.suspensions) > 0 &&", "if false &&"},
	{"shell: a queue has room for one less", crowd, "waiting > limit", "waiting >= limit"},
	{"shell: drained twice", drain, "if l.draining && !l.drainDone &&", "if l.draining &&"},
	{"shell: a call that waits does not know its request", calls, "c.grant, c.waited = g, true", "c.waited = true"},
	{"shell: a ticket does not know its number", ticket, "t.req, t.seq = g.req, g.seq", "t.req = g.req"},
	{"shell: Err takes the grant of a stopped manager", ticket, "if err := t.endErr(); err != nil || len(t.granted) > 0 {", "if err := t.endErr(); err != nil {"},
	{"shell: a grant that is taken back leaves its channel open", withdraw, "\t\tclose(t.granted)\n", ""},

	// Revocations, and what holders are told.
	{"lost: a request inside is granted by the revocation", revoke, "\tl.failInside(s, err)\n", ""},
	{"lost: the holder is not told", revoke, "\tl.give(r, lostSignal)\n", "\tl.drop(r, lostSignal)\n"},
	{"lost: the reason is forgotten", revoke, "\tl.revoked.add(r.Seq(), err)\n", ""},
	{"lost: what was released cannot be revoked", revoke, "\tif r == nil || r.Seq() != seq {", "\tif l.overErr(r, seq) != nil {"},
	{"lost: a withdrawn ticket delivers", withdraw, "r.Seq() == t.seq && r.Waiting() || t.reclaimGrant()", "r.Seq() == t.seq && (r.Waiting() || t.reclaimGrant())"},
	{"lost: the release is not noticed", release, "\t\tl.revoked.forget(seq) //", "\t\t//"},
	{"lost: the end of the manager is not told", stop, "\tl.loseAll()\n", ""},
	{"wanted: only the grant itself is looked at", wanted, "r = r.Who.scope.owner {", "r = nil {"},
	{"wanted: who has come before is not seen", signals, "a.kind == wantedSignal && l.waitedFor(r, nil)", "false"},
	{"wanted: by who does not conflict", waited, "queue.Waiting(r.uses[i].mode.Conflicting())", "queue.Waiting(^r.uses[i].mode.Conflicting() | r.uses[i].mode.Conflicting())"},

	// Searches that miss a blocker, or name another request.
	{"blockers: the last below is skipped", blockers, "\t\t\tif c == last {\n", "\t\t\tif next == last {\n"},
	{"blockers: one level below only", blockers, "\t\t\t\tleft = s.searchBelow(c, i, left)\n", ""},
	{"blockers: a claim below that came later", blockers, "left > 0 && l.request.seq < s.request.seq && s.spend()", "left > 0 && s.spend()"},
	{"blockers: those that wait below are not found", blockers, "left -= s.addBelow(w.request, w.use, i)", "left--"},
	{"blockers: those that wait below and came later", blockers, "return r.seq < s.request.seq && r != s.request.partner", "return r != s.request.partner"},
	{"claimed: the last one is forgotten by narrowing", claimed, "l.next, l.prev, second.prev = second, last, l", "l.next, l.prev, second.prev = second, second, l"},
	{"blockers: readers of a node alone hide the others", blockers, "\t\tcase l.readsNode():\n\t\t\ts.addAdmitted(i, l, readers)\n", "\t\tcase l.readsNode():\n\t\t\ts.addAdmitted(i, l, min(readers, 1))\n"},
	{"blockers: nodes above a reason stay marked", conflict, "\tt.plan++\n", ""},
	{"children: only those that read are taken off an evicted node", children, "for i := range c.first {", "for i := range c.first[:1] {"},
	{"claimed: the second list is not moved up", claimed, "\t\tn.claims, n.children.claims = n.children.claims, nil\n", ""},
	{"claimed: all claims in one list", claimed, "if n.claims == nil || n.claims.readsNode() == (mode == waitqueue.NR) {", "if true {"},

	// Widening, and the search for circles.
	{"widen: a widening waits for its own grant", queue, "if held != 0 && t.byMode[held.First()] == 1 {", "if false {"},
	{"widen: other holders in the same mode are ignored", queue, "t.byMode[held.First()] == 1 {", "t.byMode[held.First()] >= 1 {"},
	{"widen: it passes none on arrival", queue, "conflicts[mode]&t.waiting&^passed(held) != 0", "conflicts[mode]&t.waiting != 0"},
	{"widen: it passes all on arrival", queue, "t.others(held, mode)|conflicts[mode]&t.waiting&^passed(held) != 0", "t.others(held, mode) != 0"},
	{"widen: it passes none while it waits", queue, "& q.waiting &^ passed(e.held)", "& q.waiting"},
	{"widen: lost wake-up, the last but one leaves", queue, "return t.waiting&widening != 0", "return false"},
	{"widen: those that wait are overtaken by others", queue, "earliest = min(earliest, g.head.seq)", "earliest = min(earliest, max(g.head.seq, earliest))"},
	{"widen: the held mode is forgotten", queue, "combined = (held.First().Parts() | mode.Parts()).Combined()", "combined = mode"},
	{"widen: the held mode stays", queue, "\tt.Leave(held.First())\n", ""},
	{"widen: one group for all held modes", list, "(g.held != held || g.mode != mode)", "g.mode != mode"},
	{"widen: the end of a plain list hides a group", list, " && q.firstGroup(e.mode) == nil", ""},
	{"widen: a queue never forgets that a widening waited", list, "q.waiting &^= widening", "q.waiting |= widening"},
	{"widen: reads below do not count", widening, "\t\tt.enterReads(r, claims)\n", ""},
	{"widen: reads on the way do not count", widening, "n.modes = n.modes.With(waitqueue.TR)", "n.modes = n.modes.With(waitqueue.IR)"},
	{"widen: it waits where its grant keeps others out", widening, "if held.Covers(use.mode) {", "if false {"},
	{"widen: one node is added", widening, "use.node.modes != 0 {", "use.node.modes != 0 && i == 0 {"},
	{"widen: it outlives its grant", widening, "\tif r.Granted() {\n\t\tt.End(other)", "\tif false {\n\t\tt.End(other)"},
	{"widen: what is held is added again", widening, "\t\tif !t.holdsClaim(claim) {\n", "\t\tif true {\n"},
	{"widen: a requeued widening is a plain request", shrink, "w, r.seq, use.held, use.mode)", "w, r.seq, 0, use.mode)"},
	{"widen: it is granted and adds nothing", table, "\t\t\t\tt.widen(r)\n", ""},
	{"blockers: the grant of a widening", blockers, " && r != s.request.partner", ""},
	{"blockers: a widening below is counted for another", blockers, "return 0 // the mode of its grant there covers its own", "return 1"},
	{"blockers: those that a widening passes", requests, "return use.mode.Conflicting() &^ use.held.First().Conflicting()", "return use.mode.Conflicting()"},
	{"circle: each list is looked at once", search, "\t\te = t.from.prev\n", "\t\treturn found\n"},
	{"circle: those that were passed wait", search, "if after == 0 || !passed(g.held).Has(mode) {", "if true {"},
	{"circle: widenings do not wait", search, "if after == 0 || !passed(g.held).Has(mode) {", "if false {"},
	{"circle: the group of the widening is taken once", circle, "\t\t\tuse.node.queue.Untake(e)\n", ""},
	{"circle: those that wait for a widening are not found", circle, "{r, r.Widening()}", "{r, nil}"},
	{"circle: earlier ones wait for what is asked", circle, "\t\tafter = part.seq\n", "\t\tafter = 0\n"},
	{"circle: the calls of holders do not count", circle, "s.reach(next, link[N, W]{by: i})", "_ = next"},
	{"circle: a caller without a request looks one step far", circle, "} else {\n\t\t\ts.visit(i, up)", "} else if i == 0 {\n\t\t\ts.visit(i, up)"},
	{"circle: two ways, one wrong claim", circle, "theirs: j, ours: w.use}", "theirs: j, ours: 0}"},

	// Texts that merge distinct nodes, or that a hostile name changes.
	{"texts: a quoted name is its own text", exact, "utf8.ValidString(s) && !strings.HasPrefix(s, `\"`)", "utf8.ValidString(s)"},
	{"texts: a path has two texts", exact, "return s, Valid(s) == text", "return s, true"},
	{"texts: the type of what an interface holds is lost", walk, "\tcase isScalar(kind):\n", "\tcase kind == reflect.Bool:\n"},
	{"texts: two fields read as three", walk, `" {}[]()<>"`, `"{}[]()<>"`},
	{"texts: a name reads like a claim", phrases, `", ", "; ", ": "`, `"; ", ": "`},
	{"texts: a refused text changes the claim", claims, "setExactText(&claim.Node,", "setExactText(&c.Node,"},

	// Widenings in snapshots.
	{"a snapshot blames those that a widening passes", shown, "used.Mode.Conflicting() &^ used.Passes", "used.Mode.Conflicting()"},
	{"a snapshot hides a widening where its grant covers it", requests, "uses = r.appendCovered(uses)", "_ = r.appendCovered(uses)"},
}
