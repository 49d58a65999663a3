package manager

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/treelock/treelock"
)

// TestShutdownSendsWhenThereIsRoom has a full inbox when it is called, and requests behind it.
func TestShutdownSendsWhenThereIsRoom(t *testing.T) {
	for range 20 { // clients find room in any order
		synctest.Test(t, func(t *testing.T) {
			m := newManager[path](context.Background(), []Option{WithClients(1)})
			for m.trySend(nothing()) {
			}
			const clients = 10
			told, acquired := make(chan error, 2), make(chan error, clients)
			for range cap(told) {
				go func() { told <- m.Shutdown(t.Context()) }()
			}
			for range clients {
				go func() { _, err := m.TryAcquire(t.Context(), treelock.Read("/a")); acquired <- err }()
			}
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			go m.run()
			m.Shutdown(ended) // requests that came before hold
			<-m.Done()
			for range clients {
				<-acquired
			}
			for range cap(told) {
				<-told
			}
			for len(m.inbox) > 0 {
				if msg := <-m.inbox; msg.kind != kindSealed {
					t.Fatalf("a message of kind %d is left in the inbox", msg.kind)
				}
			}
		})
	}
}
