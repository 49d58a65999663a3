package waitqueue

import (
	"strings"
	"testing"
)

// TestCheckFindsBrokenState breaks, in each case, one thing in a sound queue with two readers that are
// admitted and two writers and a reader that wait.
func TestCheckFindsBrokenState(t *testing.T) {
	type queue = Queue[string]
	type entries = map[string]*Entry[string]
	for name, test := range map[string]struct {
		corrupt func(q *queue, e entries)
		want    string
	}{
		"an admitted entry says it waits":        {func(_ *queue, e entries) { e["reader 1"].admitted = false }, "I2"},
		"a waiting entry says it is admitted":    {func(_ *queue, e entries) { e["writer 1"].admitted = true }, "I2"},
		"a waiting entry came first":             {func(_ *queue, e entries) { e["writer 1"].seq = 0 }, "I2"},
		"an admitted entry came last":            {func(_ *queue, e entries) { e["reader 2"].seq = 9 }, "I2"},
		"an entry says it has another mode":      {func(_ *queue, e entries) { e["writer 2"].mode = IR }, "I3"},
		"an entry is linked back past another":   {func(_ *queue, e entries) { e["reader 3"].prev = e["reader 1"] }, "I3"},
		"the list begins at its second entry":    {func(q *queue, e entries) { q.heads[TR] = e["reader 2"] }, "I4"},
		"an admitted entry behind a waiting one": {func(q *queue, e entries) { q.heads[TR] = e["reader 3"] }, "I4"},
		"the head is forgotten":                  {func(q *queue, _ entries) { q.heads[TW] = nil }, "I2"},
		"no waiting entry is remembered":         {func(q *queue, _ entries) { q.waiting[TW] = nil }, "I4"},
		"another waiting entry is remembered":    {func(q *queue, e entries) { q.waiting[TW] = e["writer 2"] }, "I4"},
		"a waiting entry that is not there":      {func(q *queue, e entries) { q.waiting[NR] = e["reader 1"] }, "I4"},
		"a blocked mode is forgotten":            {func(q *queue, _ entries) { q.blocked = 0 }, "I4"},
		"a mode is blocked that is not":          {func(q *queue, _ entries) { q.blocked = q.blocked.With(IR) }, "I4"},
		"a mode is forgotten":                    {func(q *queue, _ entries) { q.modes = q.modes.Without(TR) }, "I4"},
		"a mode is there that is not":            {func(q *queue, _ entries) { q.modes = q.modes.With(NW) }, "I4"},
	} {
		q, e := &queue{}, entries{}
		for i, arrival := range []struct {
			name string
			mode Mode
		}{{"reader 1", TR}, {"reader 2", TR}, {"writer 1", TW}, {"writer 2", TW}, {"reader 3", TR}} {
			e[arrival.name] = new(Entry[string])
			q.Arrive(e[arrival.name], arrival.name, uint64(i+1), arrival.mode)
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

func TestEntryKeepsNoNeighboursAfterItHasLeft(t *testing.T) {
	var q Queue[string]
	var a, b Entry[string]
	q.Arrive(&a, "a", 1, TR)
	q.Arrive(&b, "b", 2, TR)
	q.Leave(&a, nil)
	q.Leave(&b, nil)
	for _, e := range []*Entry[string]{&a, &b} {
		if e.next != nil || e.prev != nil {
			t.Errorf("entry %s still leads to others, which keeps their storage", e.request)
		}
	}
	if q != (Queue[string]{}) {
		t.Errorf("the empty queue is %+v, want the zero Queue", q)
	}
}
