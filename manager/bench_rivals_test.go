package manager_test

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"github.com/treelock/treelock/manager"
)

// echo is the yardstick: a goroutine that answers every message and knows nothing. No lock manager that
// answers from its own goroutine can be faster.
type echo struct{ inbox chan chan struct{} }

// startEcho starts an echo with an inbox like the manager's.
func startEcho(ctx context.Context) *echo {
	e := &echo{make(chan chan struct{}, 64)}
	receive := func() chan struct{} {
		select {
		case reply := <-e.inbox:
			return reply
		default:
			runtime.Gosched()
			return <-e.inbox
		}
	}
	go func() {
		for ctx.Err() == nil {
			if reply := receive(); reply != nil {
				reply <- struct{}{}
			}
		}
	}()
	context.AfterFunc(ctx, func() { e.inbox <- nil })
	return e
}

// startBatchEcho starts an echo that takes what its inbox holds before it lets others run, as the
// manager does. It is the floor of that policy.
func startBatchEcho(ctx context.Context, clients int) *echo {
	e := &echo{make(chan chan struct{}, 2*max(clients, 64))}
	go func() {
		for ctx.Err() == nil {
			runtime.Gosched()
			for range max(1, len(e.inbox)) {
				if reply := <-e.inbox; reply != nil {
					reply <- struct{}{}
				}
			}
		}
	}()
	context.AfterFunc(ctx, func() { e.inbox <- nil })
	return e
}

// client returns a step: a request, the reply, a release. With yields the client lets the echo run
// before it waits for the reply.
func (e *echo) client(yields bool) (step func()) {
	reply := make(chan struct{}, 1)
	return func() {
		e.inbox <- reply
		if yields {
			runtime.Gosched()
		}
		<-reply
		e.inbox <- nil
	}
}

// rwMutexStep returns a step: to lock the mutex that find finds, and to unlock it.
func rwMutexStep(op string, find func() *sync.RWMutex) (step func()) {
	if op == "read" {
		return func() {
			mu := find()
			mu.RLock()
			mu.RUnlock() //lint:ignore SA2001 that it is empty makes it comparable with the others
		}
	}
	return func() {
		mu := find()
		mu.Lock()
		mu.Unlock() //lint:ignore SA2001 that it is empty makes it comparable with the others
	}
}

// A rwMutexMap has a mutex for each path that was ever locked.
type rwMutexMap struct{ byPath sync.Map }

func (m *rwMutexMap) find(p path) *sync.RWMutex {
	mu, ok := m.byPath.Load(p)
	if !ok {
		mu, _ = m.byPath.LoadOrStore(p, new(sync.RWMutex))
	}
	return mu.(*sync.RWMutex)
}

// A rival starts an implementation for one benchmark with so many clients, and returns what starts its clients.
type rival func(b *testing.B, c lockCase, clients int) (start func(client int) (step func()))

func startEchoRival(b *testing.B, _ lockCase, _ int) func(int) func() {
	e := startEcho(b.Context())
	return func(int) func() { return e.client(false) }
}

func startBatchEchoRival(b *testing.B, _ lockCase, clients int) func(int) func() {
	e := startBatchEcho(b.Context(), clients)
	return func(int) func() { return e.client(clients == 1) }
}

// startSemaphore is one channel of capacity 1 for all.
func startSemaphore(_ *testing.B, _ lockCase, _ int) func(int) func() {
	semaphore := make(chan struct{}, 1)
	return func(int) func() {
		return func() {
			semaphore <- struct{}{}
			<-semaphore
		}
	}
}

func startRWMutex(_ *testing.B, c lockCase, _ int) func(int) func() {
	var mu sync.RWMutex
	return func(int) func() { return rwMutexStep(c.op, func() *sync.RWMutex { return &mu }) }
}

func startRWMutexMap(_ *testing.B, c lockCase, _ int) func(int) func() {
	var m rwMutexMap
	return func(client int) func() {
		node := c.node(client)
		return rwMutexStep(c.op, func() *sync.RWMutex { return m.find(node) })
	}
}

func startTreelock(b *testing.B, c lockCase, clients int) func(int) func() {
	m := startManager(b, manager.WithClients(clients))
	return func(client int) func() {
		ctx, req := canEnd(b), request(c.op, c.node(client))
		return func() { must(m.Acquire(ctx, req)).Release() }
	}
}
