package manager

import "time"

// An isolator runs code of the user's on behalf of a goroutine of the library: String methods and log
// handlers, which may panic, block, or end their goroutine. Each run has a goroutine of its own, and a
// limited time, after which the library goes on without it. Of the runs that never come to an end only
// so many are kept: then no more are begun until one ends.
type isolator struct {
	slots   chan struct{} // a token for each run
	timeout time.Duration
}

func newIsolator(most int, limit time.Duration) isolator {
	return isolator{make(chan struct{}, most), limit}
}

// run runs f, and reports whether it has returned within the limit. If it has not, it may still be running: what it writes
// must not be read.
func (i isolator) run(f func()) (returned bool) {
	select {
	case i.slots <- struct{}{}:
	default:
		return false
	}
	ended := make(chan bool, 1) // whether f has returned; sent once
	go func() {
		returned := false
		defer func() {
			_ = recover() // user code harms its own caller only, and this one has none
			<-i.slots
			ended <- returned
		}()
		f()
		returned = true
	}()
	timer := time.NewTimer(i.timeout)
	defer timer.Stop()
	select {
	case returned := <-ended:
		return returned
	case <-timer.C:
		return false
	}
}
