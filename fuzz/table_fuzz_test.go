package fuzz_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/treelock/treelock/internal/history"
)

// FuzzTable plays histories with the lock table alone, one step at a time, and compares it with the rule after each:
// no goroutine, no channel, and so some hundred times as many steps as FuzzManager.
func FuzzTable(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		first, _ := playTable(t, data)
		if second, _ := playTable(t, data); first != second {
			t.Errorf("the same steps have granted\n%s\nand then\n%s", first, second)
		}
	})
}

// playTable plays the history that data stands for and returns what was granted, in order, and how long requests waited.
func playTable(t *testing.T, data []byte) (log string, w waits) {
	h := history.Decode(data)
	d := newDuel(t, max(h.IdleNodes, 0))
	var names [history.Clients]string
	for i, op := range h.Ops {
		name := names[op.Client]
		r := d.live[name]
		switch {
		case op.Verb == history.Next && r == nil, op.Verb == history.Again && r == nil:
			names[op.Client] = fmt.Sprintf("%c%d", 'a'+op.Client, i)
			d.submit(names[op.Client], op.Request())
		case r == nil:
		case op.Verb == history.Narrow && r.Granted():
			d.narrow(name, op.Narrower(d.model.Request(name)))
		case op.Verb == history.Next, op.Verb == history.Withdraw:
			d.end(name)
		}
	}
	for _, name := range slices.Clone(d.model.Live()) {
		d.end(name)
	}
	if d.table.Live() != 0 || d.table.Places() != 0 || d.table.Nodes() > d.maxIdle {
		d.fatalf("I8: at the end %d requests are live, with %d places at %d nodes", d.table.Live(), d.table.Places(), d.table.Nodes())
	}
	return d.log, d.waits
}
