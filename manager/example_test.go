package manager_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	grant, err := m.Acquire(ctx, treelock.Read("/src").Write("/dst"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer grant.Release()
	fmt.Println("copying")
	// Output: copying
}

func ExampleStart() {
	ctx, cancel := context.WithCancelCause(context.Background())
	m := manager.Start(ctx)

	cancel(errors.New("shutting down"))
	<-m.Done()
	_, err := m.TryAcquire(context.Background(), treelock.Read("/"))
	fmt.Println(errors.Is(err, treelock.ErrStopped))
	fmt.Println(err)
	// Output:
	// true
	// treelock: try to acquire read /: the manager has stopped: shutting down
}

// A context bounds the wait. When it ends, the request leaves no trace.
func ExampleManager_Acquire() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	holder, err := m.Acquire(ctx, treelock.Write("/docs"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer holder.Release()

	short, stop := context.WithTimeout(ctx, time.Millisecond)
	defer stop()
	_, err = m.Acquire(short, treelock.Read("/docs/a.txt"))
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}

func ExampleManager_TryAcquire() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	reader, err := m.TryAcquire(ctx, treelock.Read("/docs"))
	fmt.Println(err)
	_, err = m.TryAcquire(ctx, treelock.Write("/docs/a.txt"))
	fmt.Println(errors.Is(err, treelock.ErrConflict))

	reader.Release()
	_, err = m.TryAcquire(ctx, treelock.Write("/docs/a.txt"))
	fmt.Println(err)
	// Output:
	// <nil>
	// true
	// <nil>
}

// Check says whether a request would be granted now, and takes nothing.
func ExampleManager_Check() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	reader, _ := m.TryAcquire(ctx, treelock.Read("/docs"))
	fmt.Println(m.Check(ctx, treelock.Read("/docs/a.txt")))
	fmt.Println(errors.Is(m.Check(ctx, treelock.Write("/docs/a.txt")), treelock.ErrConflict))
	reader.Release()
	// Output:
	// <nil>
	// true
}

// Submit is for a select: the grant comes over a channel.
func ExampleManager_Submit() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	ticket, err := m.Submit(ctx, treelock.Write("/docs"))
	if err != nil {
		fmt.Println(err)
		return
	}
	select {
	case grant, ok := <-ticket.Granted():
		if !ok {
			fmt.Println(ticket.Err())
			return
		}
		defer grant.Release()
		fmt.Println("writing")
	case <-time.After(time.Minute):
		ticket.Withdraw()
		fmt.Println("too busy")
	}
	// Output: writing
}

// Wait is for a client that takes its place in the order first, and waits later. If the context
// ends first, the ticket is withdrawn.
func ExampleTicket_Wait() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	reader, _ := m.Acquire(ctx, treelock.Read("/docs"))
	writer, _ := m.Submit(ctx, treelock.Write("/docs"))
	brief, cancelBrief := context.WithTimeout(ctx, time.Millisecond)
	defer cancelBrief()
	_, err := writer.Wait(brief)
	fmt.Println(errors.Is(err, treelock.ErrGaveUp), errors.Is(err, context.DeadlineExceeded))
	reader.Release()
	// Output: true true
}

// After Withdraw no request waits for this one, and no grant comes.
func ExampleTicket_Withdraw() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	early, _ := m.Submit(ctx, treelock.Read("/docs"))
	writer, _ := m.Submit(ctx, treelock.Write("/docs"))
	late, _ := m.Submit(ctx, treelock.Read("/docs")) // waits for the writer

	writer.Withdraw()
	_, ok := <-writer.Granted()
	fmt.Println("writer:", ok, errors.Is(writer.Err(), treelock.ErrWithdrawn))
	for _, reader := range []*manager.Ticket[treelock.Path]{early, late} {
		grant, ok := <-reader.Granted()
		if !ok {
			fmt.Println(reader.Err()) // withdrawn, or the manager has stopped
			continue
		}
		defer grant.Release()
	}
	fmt.Println("both read")
	// Output:
	// writer: false true
	// both read
}

func ExampleManager_Do() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	err := m.Do(ctx, treelock.Write("/docs"), func(context.Context) error {
		return errors.New("disk full")
	})
	fmt.Println(err)
	_, err = m.TryAcquire(ctx, treelock.Write("/docs")) // it was released
	fmt.Println(err)
	// Output:
	// disk full
	// <nil>
}

// A clean shutdown refuses new requests, waits for the live ones, and stops the manager.
func ExampleManager_Drain() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	grant, err := m.Acquire(ctx, treelock.Write("/docs"))
	fmt.Println(err)
	go grant.Release() // its work is done
	fmt.Println(m.Drain(ctx))
	_, err = m.Acquire(ctx, treelock.Read("/docs"))
	fmt.Println(errors.Is(err, treelock.ErrDraining))

	cancel()
	<-m.Done()
	// Output:
	// <nil>
	// <nil>
	// true
}

func ExampleManager_Done() {
	ctx, cancel := context.WithCancel(context.Background())
	m := manager.Start(ctx)
	ticket, err := m.Submit(ctx, treelock.Read("/docs"))
	fmt.Println(err)

	cancel()
	<-m.Done()                               // its goroutine has ended
	if grant, ok := <-ticket.Granted(); ok { // it was granted before the stop
		grant.Release() // does nothing any more
	}
	// Output: <nil>
}

// A second release of a grant does nothing: later grants stay held.
func ExampleGrant_Release() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	first, _ := m.TryAcquire(ctx, treelock.Write("/docs"))
	first.Release()
	_, err := m.TryAcquire(ctx, treelock.Write("/docs"))
	fmt.Println(err)
	first.Release()
	_, err = m.TryAcquire(ctx, treelock.Write("/docs"))
	fmt.Println(errors.Is(err, treelock.ErrConflict))
	// Output:
	// <nil>
	// true
}

// A write becomes a read, and a subtree one folder in it. A request that waited for the rest is
// granted.
func ExampleGrant_Narrow() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	writer, err := m.TryAcquire(ctx, treelock.Write("/docs"))
	fmt.Println(err)
	fmt.Println(writer.Narrow(treelock.Read("/docs"))) // written: now to check it, with other readers
	_, err = m.TryAcquire(ctx, treelock.ReadNode("/docs"))
	fmt.Println(err)

	fmt.Println(writer.Narrow(treelock.Read("/docs/drafts")))
	_, err = m.TryAcquire(ctx, treelock.Write("/docs/final"))
	fmt.Println(err)
	fmt.Println(errors.Is(writer.Narrow(treelock.Read("/docs")), treelock.ErrNotHeld)) // no way back
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// <nil>
	// <nil>
	// true
}

// A fencedStore refuses a token that is smaller than an earlier one.
type fencedStore struct{ latest uint64 }

func (s *fencedStore) put(token uint64, text string) {
	if token < s.latest {
		fmt.Println("refused:", text)
		return
	}
	s.latest = token
	fmt.Println("stored:", text)
}

// A slow holder is refused after a later one has written.
func ExampleGrant_Token() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)
	store := &fencedStore{}

	stale, _ := m.TryAcquire(ctx, treelock.Write("/docs"))
	store.put(stale.Token(), "first")
	stale.Release() // by a supervisor
	fresh, _ := m.TryAcquire(ctx, treelock.Write("/docs"))
	store.put(fresh.Token(), "second")
	store.put(stale.Token(), "late")
	// Output:
	// stored: first
	// stored: second
	// refused: late
}

// A server stops in this order: first the listener, so that no request comes, then the locks, then
// what the grants protect.
func ExampleManager_Shutdown() {
	m := manager.Start(context.Background())
	server := &http.Server{Handler: http.NotFoundHandler()} // its handlers call m.Do

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	fmt.Println(server.Shutdown(ctx)) // waits for the handlers
	fmt.Println(m.Shutdown(ctx))      // waits for what they have left behind

	_, err := m.Acquire(ctx, treelock.Write("/photos"))
	fmt.Println(err)
	// Output:
	// <nil>
	// <nil>
	// treelock: acquire write /photos: the manager has stopped: it was shut down
}

func ExampleManager_Suspend() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	resume, err := m.Suspend(ctx, "moves to another disk", "/photos")
	fmt.Println(err) // nil: no request is live in /photos

	_, err = m.Acquire(ctx, treelock.Read("/photos/2024"))
	fmt.Println(err)

	resume()
	fmt.Println(m.Check(ctx, treelock.Read("/photos/2024")))
	// Output:
	// <nil>
	// treelock: acquire read /photos/2024: the subtree is suspended: /photos: moves to another disk
	// <nil>
}
