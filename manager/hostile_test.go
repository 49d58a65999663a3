package manager_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A trap is a node with any Parent.
type trap struct{ parent func() (*trap, bool) }

func (n *trap) Parent() (*trap, bool) { return n.parent() }

// plain returns a trap that does no harm.
func plain() *trap { return &trap{func() (*trap, bool) { return nil, false }} }

// works fails the test if m does not grant, or something is held.
func works(t *testing.T, m *manager.Manager[*trap]) {
	t.Helper()
	g, err := m.TryAcquire(t.Context(), treelock.Request[*trap]{}.Write(plain()))
	if err != nil {
		t.Fatalf("TryAcquire() = %v, want a grant", err)
	}
	g.Release()
	if err := m.Drain(t.Context()); err != nil {
		t.Fatalf("Drain() = %v, want nil: something is held", err)
	}
}

func TestParentInACircleIsRefused(t *testing.T) {
	m := manager.StartNodes[*trap](t.Context())
	a, b := &trap{}, &trap{}
	a.parent = func() (*trap, bool) { return b, true }
	b.parent = func() (*trap, bool) { return a, true }
	if _, err := m.Acquire(t.Context(), treelock.Request[*trap]{}.Read(plain(), a)); !errors.Is(err, treelock.ErrTooDeep) {
		t.Errorf("Acquire(a circle) = %v, want ErrTooDeep", err)
	}
	works(t, m)
}

func TestLineageWithoutEndIsRefused(t *testing.T) {
	m := manager.StartNodes[*trap](t.Context(), manager.WithMaxDepth(100))
	steps := 0
	var next func() (*trap, bool)
	next = func() (*trap, bool) { steps++; return &trap{next}, true }
	if _, err := m.TryAcquire(t.Context(), treelock.Request[*trap]{}.Read(&trap{next})); !errors.Is(err, treelock.ErrTooDeep) {
		t.Errorf("TryAcquire(an endless lineage) = %v, want ErrTooDeep", err)
	}
	if steps > 101 {
		t.Errorf("Parent was called %d times, want hardly more than the limit of 100", steps)
	}
	works(t, m)
}

func TestPanicInParentHitsItsOwnCallerOnly(t *testing.T) {
	m := manager.StartNodes[*trap](t.Context())
	bad := &trap{func() (*trap, bool) { panic("mine") }}
	func() {
		defer func() {
			if got := recover(); got != "mine" {
				t.Errorf("Acquire panicked with %v, want the panic of Parent", got)
			}
		}()
		m.Acquire(t.Context(), treelock.Request[*trap]{}.Read(plain(), bad))
	}()
	works(t, m)
}

func TestSlowParentDelaysItsOwnCallerOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		m := manager.StartNodes[*trap](ctx)
		free := make(chan struct{})
		slow := &trap{func() (*trap, bool) { <-free; return nil, false }}
		done := make(chan error)
		go func() {
			g, err := m.Acquire(ctx, treelock.Request[*trap]{}.Write(slow))
			g.Release()
			done <- err
		}()
		synctest.Wait() // the caller hangs in Parent
		g, err := m.Acquire(ctx, treelock.Request[*trap]{}.Write(plain()))
		if err != nil {
			t.Errorf("Acquire() beside a slow Parent = %v, want a grant", err)
		}
		g.Release()
		close(free)
		if err := <-done; err != nil {
			t.Errorf("Acquire(slow) = %v, want a grant in the end", err)
		}
		stop()
		<-m.Done()
	})
}

// A value is a node that may be incomparable, or not equal to itself.
type value struct{ v any }

func (value) Parent() (value, bool) { return value{}, false }

// A child is a valid node with an invalid parent.
type child struct {
	float float64
	depth int
}

func (c child) Parent() (child, bool) { return child{math.NaN(), c.depth + 1}, c.depth < 3 }

func TestValuesThatNameNoNodeAreRefused(t *testing.T) {
	m := manager.StartNodes[value](t.Context())
	for _, v := range []any{math.NaN(), []int{1}, map[int]int{}, func() {}, [1]any{[]int{}}, struct{ f float32 }{float32(math.NaN())}} {
		if _, err := m.TryAcquire(t.Context(), treelock.Request[value]{}.Read(value{1}, value{v})); !errors.Is(err, treelock.ErrIncomparable) {
			t.Errorf("TryAcquire(%T) = %v, want ErrIncomparable", v, err)
		}
	}
	g, err := m.TryAcquire(t.Context(), treelock.Request[value]{}.Write(value{nil}, value{1}, value{"1"}, value{1.0}))
	if err != nil {
		t.Errorf("TryAcquire(values that can be compared) = %v, want a grant", err)
	}
	if err := g.Narrow(treelock.Request[value]{}.Write(value{[]int{}})); !errors.Is(err, treelock.ErrIncomparable) {
		t.Errorf("Narrow([]int) = %v, want ErrIncomparable", err)
	}
	g.Release()
	if err := m.Drain(t.Context()); err != nil {
		t.Errorf("Drain() = %v, want nil: something is held", err)
	}

	children := manager.StartNodes[child](t.Context())
	if _, err := children.TryAcquire(t.Context(), treelock.Request[child]{}.Read(child{})); !errors.Is(err, treelock.ErrIncomparable) {
		t.Errorf("TryAcquire(a node with a NaN above it) = %v, want ErrIncomparable", err)
	}
}

// A stubborn context is of a user's type, and its error is incomparable.
type stubborn struct {
	context.Context
	ended chan struct{}
}

func (c *stubborn) Done() <-chan struct{} { return c.ended }

func (c *stubborn) Err() error {
	select {
	case <-c.ended:
		return errStubborn
	default:
		return nil
	}
}

// errStubborn is an error type that cannot be compared.
var errStubborn = stubbornError{"I have had enough"}

type stubbornError []string

func (e stubbornError) Error() string { return e[0] }

func TestContextsOfAnyTypeEndTheirRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &stubborn{t.Context(), make(chan struct{})}
		m := manager.Start(server)
		holder, err := m.Acquire(t.Context(), treelock.Write("/a"))
		if err != nil {
			t.Fatal(err)
		}

		client := &stubborn{t.Context(), make(chan struct{})}
		waiter := make(chan error)
		go func() {
			_, err := m.Acquire(client, treelock.Write("/a"))
			waiter <- err
		}()
		synctest.Wait()
		close(client.ended)
		var enough stubbornError
		if err := <-waiter; !errors.As(err, &enough) {
			t.Errorf("Acquire() = %v, want the context's own error", err)
		}

		go func() {
			_, err := m.Acquire(t.Context(), treelock.Write("/a"))
			waiter <- err
		}()
		synctest.Wait()
		close(server.ended)
		if err := <-waiter; !errors.Is(err, treelock.ErrStopped) || !errors.As(err, &enough) {
			t.Errorf("Acquire() = %v, want ErrStopped and the context's own error", err)
		}
		<-m.Done()
		holder.Release()
	})
}

// TestPanicInTheContextOfDrainDrainsNothing calls Drain with a context whose Done panics.
func TestPanicInTheContextOfDrainDrainsNothing(t *testing.T) {
	m := manager.Start(t.Context())
	func() {
		defer func() {
			if got := recover(); got != "mine" {
				t.Errorf("Drain() panics with %v, want the panic of Done", got)
			}
		}()
		m.Drain(&mine{Context: t.Context(), at: 1, harm: func() { panic("mine") }})
	}()
	must(m.TryAcquire(t.Context(), treelock.Write("/a")))
}

// A folder is a node that can be moved.
type folder struct {
	name   string
	parent *folder
}

func (f *folder) Parent() (*folder, bool) { return f.parent, f.parent != nil }

// TestMovingAClaimedNodeDoesNotStopTheManager holds a node twice, by two lineages. That is an error
// of the program that moved it.
func TestMovingAClaimedNodeDoesNotStopTheManager(t *testing.T) {
	m := manager.StartNodes[*folder](t.Context())
	root := &folder{"root", nil}
	a, b := &folder{"a", root}, &folder{"b", root}
	x := &folder{"x", b}
	request := treelock.Request[*folder]{}

	mover, _ := m.TryAcquire(t.Context(), request.Write(a, b))
	waiting, err := m.Submit(t.Context(), request.Read(x)) // below b
	if err != nil {
		t.Fatal(err)
	}
	x.parent = a
	mover.Release()
	reader := <-waiting.Granted()

	writer, err := m.TryAcquire(t.Context(), request.Write(a))
	if err != nil {
		t.Fatalf("TryAcquire(a) = %v, want a grant: the reader of x is still below b", err)
	}
	y := &folder{"y", x}
	if err := writer.Narrow(request.Write(x, y)); !errors.Is(err, treelock.ErrNotHeld) {
		t.Errorf("Narrow(x), which another request reads, = %v, want ErrNotHeld", err)
	}
	reader.Release()
	if err := writer.Narrow(request.Write(x, y)); err != nil {
		t.Errorf("Narrow(x), which no request reads any more, = %v, want nil", err)
	}
	writer.Release()
	if err := m.Drain(t.Context()); err != nil {
		t.Errorf("Drain() = %v, want nil: something is held", err)
	}
}

// A key is a node that is written with numbers.
type key struct{ tenant, document int64 }

func (k key) Parent() (key, bool) { return key{k.tenant, k.document + 1}, true }

func TestErrorsNameTheNodeInFewWords(t *testing.T) {
	keys := manager.StartNodes[key](t.Context())
	_, err := keys.TryAcquire(t.Context(), treelock.Request[key]{}.Read(key{1, 2}))
	if err == nil || !strings.Contains(err.Error(), "from {1 2} up") {
		t.Errorf("TryAcquire(a key) = %v, want an error that names {1 2}", err)
	}
	paths := manager.Start(t.Context())
	_, err = paths.TryAcquire(t.Context(), treelock.Read(path(strings.Repeat("/long", 10_000))))
	if err == nil || len(err.Error()) > 500 {
		t.Errorf("TryAcquire(a very deep path) has an error of %d bytes, want at most 500", len(err.Error()))
	}
}
