package bench_test

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"github.com/treelock/treelock/manager"
)

// A peer starts an implementation for a benchmark with so many clients. It returns what makes the
// step of a client.
type peer func(b *testing.B, c lockCase, clients int) (start func(client int) (step func()))

func startTreelock(b *testing.B, c lockCase, clients int) func(int) func() {
	m := startManager(b, manager.WithClients(clients))
	return func(client int) func() { return acquireStep(b, m, request(c.op, c.node(client))) }
}

// An inbox takes the messages of an echo: a channel for the reply, or nil for a release.
type inbox chan chan struct{}

// newEcho starts a goroutine that calls serve with its inbox until b ends.
func newEcho(b *testing.B, capacity int, serve func(inbox)) inbox {
	in, ctx := make(inbox, capacity), b.Context()
	go func() {
		for ctx.Err() == nil {
			serve(in)
		}
	}()
	context.AfterFunc(ctx, func() { in <- nil })
	return in
}

// answer receives one message and answers it.
func (in inbox) answer() {
	if reply := <-in; reply != nil {
		reply <- struct{}{}
	}
}

// client returns a step: a request, the reply, a release. If yields is set, the client lets the
// echo run before it waits for the reply.
func (in inbox) client(yields bool) (step func()) {
	reply := make(chan struct{}, 1)
	return func() {
		in <- reply
		if yields {
			runtime.Gosched()
		}
		<-reply
		in <- nil
	}
}

// startEcho starts an echo that lets other goroutines run whenever its inbox is empty.
func startEcho(b *testing.B, _ lockCase, _ int) func(int) func() {
	in := newEcho(b, 64, func(in inbox) {
		if len(in) == 0 {
			runtime.Gosched()
		}
		in.answer()
	})
	return func(int) func() { return in.client(false) }
}

// startBatchEcho starts an echo that takes what its inbox holds before it lets others run, as the
// manager does: no manager that answers from its own goroutine can be faster.
func startBatchEcho(b *testing.B, _ lockCase, clients int) func(int) func() {
	in := newEcho(b, 2*max(clients, 64), func(in inbox) {
		runtime.Gosched()
		for range max(1, len(in)) {
			in.answer()
		}
	})
	return func(int) func() { return in.client(clients == 1) }
}

// startSemaphore makes one channel of capacity 1 for all clients.
func startSemaphore(*testing.B, lockCase, int) func(int) func() {
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
	var byPath sync.Map
	return func(client int) func() {
		node := c.node(client)
		return rwMutexStep(c.op, func() *sync.RWMutex {
			mu, ok := byPath.Load(node)
			if !ok {
				mu, _ = byPath.LoadOrStore(node, new(sync.RWMutex))
			}
			return mu.(*sync.RWMutex)
		})
	}
}

// rwMutexStep returns a step that locks the mutex that find returns, and unlocks it.
func rwMutexStep(op string, find func() *sync.RWMutex) (step func()) {
	if op == "read" {
		return func() {
			mu := find()
			mu.RLock()
			mu.RUnlock() //lint:ignore SA2001 an empty section is comparable with the others
		}
	}
	return func() {
		mu := find()
		mu.Lock()
		mu.Unlock() //lint:ignore SA2001 an empty section is comparable with the others
	}
}
