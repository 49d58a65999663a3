package manager

import (
	"context"
	"testing"

	"github.com/treelock/treelock"
)

// A client that panics in the middle of its survey has it ended.
func TestSurveyOfAClientThatPanicsIsOver(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	m, cancel := newManager[path](ctx, nil)
	s := &survey[path]{}
	go m.run(cancel)
	req := treelock.ReadNode("/a")
	var last Grant[path]
	for range 2 * step {
		grant, err := m.TryAcquire(req)
		if err != nil {
			t.Fatal(err)
		}
		last = grant
	}
	func() {
		defer func() { recover() }()
		m.conduct(panicky{ctx, new(int)}, s)
	}()
	last.Release()
	m.Stats() // when that is answered, the release has been dealt with
	stop()
	<-m.Done()
	if s.over || s.next == 0 {
		t.Errorf("over=%t, next=%d: the panic did not come in the middle", s.over, s.next)
	}
	if len(s.ahead) != 0 {
		t.Errorf("%d requests were shown to it, want none", len(s.ahead))
	}
}

// panicky is a context that panics when it is asked for the second time.
type panicky struct {
	context.Context
	asked *int
}

func (c panicky) Err() error {
	if *c.asked++; *c.asked > 1 {
		panic("mine")
	}
	return nil
}
