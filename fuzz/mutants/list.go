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
	acquire  = "manager/acquire.go"
	calls    = "manager/call.go"
	withdraw = "manager/withdraw.go"
	release  = "manager/release.go"
	narrow   = "manager/narrow.go"
	drain    = "manager/drain.go"
	stop     = "manager/stop.go"
	ticket   = "manager/ticket.go"
	message  = "manager/message.go"
	vet      = "manager/vet.go"
	options  = "manager/options.go"
	table    = "internal/locktable/table.go"
	shrink   = "internal/locktable/narrow.go"
	nodes    = "internal/locktable/node.go"
	requests = "internal/locktable/request.go"
)

var mutants = []mutant{
	// The compatibility matrix.
	{"IR lets a TW in", modes, "IR: set(0, 0, 0, 0, 0, x)", "IR: set(0, 0, 0, 0, 0, 0)"},
	{"IW lets a TR in", modes, "IW: set(0, 0, 0, 0, x, x)", "IW: set(0, 0, 0, 0, 0, x)"},
	{"NR lets a NW in", modes, "NR: set(0, 0, 0, x, 0, x)", "NR: set(0, 0, 0, 0, 0, x)"},
	{"TW lets a NR in", modes, "TW: set(x, x, x, x, x, x)", "TW: set(x, x, 0, x, x, x)"},
	{"TR keeps a TR out", modes, "TR: set(0, x, 0, x, 0, x)", "TR: set(0, x, 0, x, x, x)"},
	{"IR keeps a TR out", modes, "IR: set(0, 0, 0, 0, 0, x)", "IR: set(0, 0, 0, 0, x, x)"},
	{"a write below intends to read", modes, "if m == IW || m == NW || m == TW {", "if m == IW || m == TW {"},
	{"a mode is dropped that nothing covers", modes, "return matrix[o]&^matrix[m] == 0", "return matrix[m]&^matrix[o] == 0"},

	// The order in a queue.
	{"a request overtakes those that wait", queue, "if q.heads[rivals.First()].seq < e.seq {", "if h := q.heads[rivals.First()]; h.admitted && h.seq < e.seq {"},
	{"a request waits for itself", queue, "if q.heads[rivals.First()].seq < e.seq {", "if q.heads[rivals.First()].seq <= e.seq {"},
	{"an arrival goes to the front", list, "head.prev.next = e\n\thead.prev = e\n", "head.prev.next = e\n\thead.prev = e\n\tq.heads[e.mode] = e\n"},
	{"lost wake-up: one mode is woken only", queue, "stirred != 0; stirred = stirred.Rest() {\n\t\tadmitted = q.advance", "stirred != 0; stirred = 0 {\n\t\tadmitted = q.advance"},
	{"lost wake-up: one entry is woken only", queue, "admitted = append(admitted, e.request)\n\t\te = q.after(e)", "admitted = append(admitted, e.request)\n\t\te = q.after(e)\n\t\tbreak"},
	{"lost wake-up: the end of the middle", queue, "q.setWaiting(e.mode, q.after(e))", "q.setWaiting(e.mode, nil)"},
	{"double grant: the queue forgets who is admitted", queue, "\tq.setWaiting(mode, e)\n\treturn admitted\n", "\treturn admitted\n"},
	{"a narrowed hold lets its waiters in", queue, "e.admitted = false\n", "e.admitted = true\n"},
	{"a narrowed hold goes to the end", queue, "\tq.heads[mode] = e\n\tfor rivals", "\tfor rivals"},

	// The table.
	{"half a request is enough", table, "if !n.queue.Arrive(&p.entry, r, r.seq, modes.First()) {", "if !n.queue.Arrive(&p.entry, r, r.seq, modes.First()) && r.blocked == 0 {"},
	{"a lineage is planned up to a known node", table, "if below != nil && n.modes.Has(mode) {", "if below != nil && n.modes != 0 {"},
	{"the old goes before the new comes", shrink, "\tt.hold(r)\n\tt.leave(old)\n", "\tt.leave(old)\n\tt.hold(r)\n"},
	{"a read is narrowed to a write", shrink, "n.modes.Has(waitqueue.TR) && !writes", "(n.modes.Has(waitqueue.TR) || !writes && false)"},
	{"a node that is used is evicted", nodes, "\tt.becomeBusy(n)\n\tdelete(t.byName, n.name)", "\tt.becomeBusy(n)\n\tif n.up != nil {\n\t\tdelete(t.byName, n.up.name)\n\t}\n\tdelete(t.byName, n.name)"},
	{"a number is used twice", requests, "t.lastSeq++\n", "if len(t.free) > 2 {\n\t\tt.lastSeq--\n\t}\n\tt.lastSeq++\n"},

	// The manager.
	{"leak: a withdrawal that meets the grant", withdraw, "if live && (r.Waiting() || c.takeBack()) {", "if live && r.Waiting() {"},
	{"leak: the end of a context is not sent", acquire, "m.send(message[N]{kind: withdraw, call: c})\n", ""},
	{"leak: a refused request stays", acquire, "l.table.End(r) // the latest request: nobody waits for it\n", ""},
	{"double grant: a withdrawn ticket delivers", withdraw, "case <-c.ticket.granted:\n\t\treturn true", "case g := <-c.ticket.granted:\n\t\tc.ticket.granted <- g\n\t\treturn true"},
	{"lost wake-up: a withdrawal wakes nobody", withdraw, "l.deliverAll(l.table.End(r))", "l.table.End(r)"},
	{"lost wake-up: a release wakes nobody", release, "l.deliverAll(l.table.End(r))", "l.table.End(r)"},
	{"lost wake-up: narrowing wakes nobody", narrow, "l.deliverAll(granted)", "l.deliverAll(granted[:0])"},
	{"lost wake-up: a withdrawal is not confirmed", withdraw, "\tif done != nil {\n\t\tclose(done)\n\t}\n", ""},
	{"lost wake-up: draining misses a withdrawal", withdraw, "\t\tl.settleDrain()\n", ""},
	{"an old grant releases somebody else's", release, "if r.Seq() != seq {", "if r.Seq() == 0 {"},
	{"an old grant narrows somebody else's", narrow, "if r.Seq() != seq {", "if r.Seq() == 0 {"},
	{"race: a call is used again too early", acquire, "m.send(message[N]{kind: withdraw, call: c})\n", "m.send(message[N]{kind: withdraw, call: c})\n\t\tm.recycle(c)\n"},
	{"race: Withdraw does not wait", withdraw, "\tselect {\n\tcase <-done:\n\t\treturn\n\tcase <-t.m.done:\n\t}\n", "\tselect {\n\tcase <-done:\n\t\treturn\n\tcase <-t.m.done:\n\tdefault:\n\t\treturn\n\t}\n"},
	{"race: the inbox is not sealed", stop, "\tl.m.seal(err)\n", ""},
	{"leak: the stop message is not awaited", stop, "for msg.kind != stop {", "for false {"},
	{"stop strands those that wait", stop, "\t\t\tc.answer <- answer[N]{err: err} // and c is the client's again\n", ""},
	{"stop strands tickets", stop, "c.ticket.end(err)", "_ = c.ticket"},
	{"stop strands those in the inbox", stop, "case acquire, narrow:\n", "case acquire:\n"},
	{"the limit lets one more wait", acquire, "l.table.Waiting() > l.m.maxWaiting", "l.table.Waiting() > l.m.maxWaiting+1"},
	{"a draining manager lets requests in", acquire, "if l.draining {", "if l.draining && l.table.Live() == 0 {"},
	{"drained too early", drain, "l.table.Live() == 0", "l.table.Waiting() == 0"},
	{"TryAcquire waits", acquire, "case c.mode == noWait:", "case c.mode == noWait && l.draining:"},
	{"tokens do not grow", release, "return g.m.firstToken + (g.seq - 1)", "return g.m.firstToken + (g.seq-1)/4"},
	{"the first token is forgotten", options, "o.firstToken = max(token, 1)", "o.firstToken = max(min(token, 1), 1)"},
	{"the cause of a context is lost", acquire, "err, cause := ctx.Err(), context.Cause(ctx)", "err, cause := ctx.Err(), ctx.Err()"},
	{"the cause of a stop is lost", stop, "return []error{treelock.ErrStopped, e.cause}", "return []error{treelock.ErrStopped}"},
	{"stop says that tickets were withdrawn", stop, "c.ticket.end(err)", "c.ticket.end(treelock.ErrWithdrawn)"},
	{"a ticket ends with the context of its submission", ticket, "c.claims, c.lineage = nil, nil // the", "context.AfterFunc(ctx, t.Withdraw)\n\tc.claims, c.lineage = nil, nil // the"},
	{"TryAcquire says busy", acquire, "case c.mode == noWait:", "case c.mode == noWait && !(l.m.maxWaiting >= 0 && l.table.Waiting() > l.m.maxWaiting):"},
	{"a context that has ended is not looked at", message, "if ctx.Err() != nil {", "if false {"},
	{"lineages have no limit", calls, "if len(c.lineage)-start == m.maxDepth {", "if len(c.lineage)-start == 1<<16 {"},
	{"values are not vetted", vet, "if again := node; again != node {", "if again := node; again == node {\n\t\treturn nil\n\t} else if false {"},
	{"ancestors are not vetted", vet, "return vetValue[N], true", "return vetValue[N], false"},
}
