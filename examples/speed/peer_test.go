package main

import (
	"fmt"
	"sync"
	"testing"

	"golang.org/x/sync/semaphore"
)

// BenchmarkLock adds the semaphore of x/sync, of size 1 for all clients, to BenchmarkLock of
// package manager/bench. It is here because treelock's module does not depend on x/sync.
func BenchmarkLock(b *testing.B) {
	for _, clients := range []int{1, 2, 32, 1000, 10_000} {
		b.Run(fmt.Sprintf("impl=x-semaphore/clients=%d", clients), func(b *testing.B) {
			one := semaphore.NewWeighted(1)
			var done sync.WaitGroup
			for client := range clients {
				done.Go(func() {
					for range (b.N + client) / clients { // b.N in all
						if err := one.Acquire(b.Context(), 1); err != nil {
							panic(err)
						}
						one.Release(1)
					}
				})
			}
			done.Wait()
		})
	}
}
