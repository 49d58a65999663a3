package waitqueue

import (
	"strings"
	"testing"
)

// TestCheckFindsBrokenQueues breaks one thing at a time in a sound queue, in which two readers are
// admitted, and two writers and a reader wait.
func TestCheckFindsBrokenQueues(t *testing.T) {
	type queue = Queue[string]
	type entries = map[string]*Entry[string]
	for name, test := range map[string]struct {
		corrupt func(q *queue, e entries)
		want    string
	}{
		"a waiting entry came first":           {func(_ *queue, e entries) { e["reader 3"].seq = 1 }, "I2"},
		"no request is admitted":               {func(q *queue, _ entries) { q.byMode[TR], q.admitted = 0, 0 }, "I2"},
		"the list is not in order":             {func(_ *queue, e entries) { e["writer 2"].seq = 3 }, "I4"},
		"an entry says it has another mode":    {func(_ *queue, e entries) { e["writer 2"].mode = IR }, "I3"},
		"an entry is linked back past another": {func(_ *queue, e entries) { e["writer 1"].prev = e["reader 3"] }, "I3"},
		"an entry leads nowhere":               {func(_ *queue, e entries) { e["writer 2"].next = nil }, "I3"},
		"the list begins at its second entry":  {func(q *queue, e entries) { q.lists.heads[TW] = e["writer 2"] }, "I4"},
		"the list is forgotten":                {func(q *queue, _ entries) { q.lists.heads[TW] = nil }, "I4"},
		"a waiting mode is forgotten":          {func(q *queue, _ entries) { q.waiting = q.waiting.Without(TW) }, "I4"},
		"a mode waits that does not":           {func(q *queue, _ entries) { q.waiting = q.waiting.With(IR) }, "I4"},
		"an admitted mode is forgotten":        {func(q *queue, _ entries) { q.admitted = 0 }, "I4"},
		"a mode is admitted that is not":       {func(q *queue, _ entries) { q.admitted = q.admitted.With(NR) }, "I4"},
	} {
		q, e := &queue{}, entries{}
		q.Arrive(TR)
		q.Arrive(TR)
		for i, arrival := range []struct {
			name string
			mode Mode
		}{{"writer 1", TW}, {"writer 2", TW}, {"reader 3", TR}} {
			e[arrival.name] = new(Entry[string])
			q.Wait(e[arrival.name], arrival.name, uint64(i+3), arrival.mode)
		}
		if err := q.Check(); err != nil {
			t.Fatalf("Check() = %v before anything was broken, want nil", err)
		}
		test.corrupt(q, e)
		if err := q.Check(); err == nil || !strings.HasPrefix(err.Error(), test.want+": ") {
			t.Errorf("%s: Check() = %v, want an error about %s", name, err, test.want)
		}
	}
}

func TestEntryThatHasLeftKeepsNoNeighbours(t *testing.T) {
	var q Queue[string]
	var a, b Entry[string]
	q.Arrive(TW)
	q.Wait(&a, "a", 1, TR)
	q.Wait(&b, "b", 2, TR)
	q.Withdraw(&a, nil)
	q.Leave(TW)
	q.Advance(TW, nil)
	for _, e := range []*Entry[string]{&a, &b} {
		if e.next != nil || e.prev != nil {
			t.Errorf("entry %s still points to other entries, which keeps them in memory", e.request)
		}
	}
	if *q.lists != (lists[string]{}) {
		t.Errorf("the lists of the empty queue are %+v, want none", *q.lists)
	}
}
