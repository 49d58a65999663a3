package manager

import "time"

// An isolator runs user code on behalf of a goroutine of the library. String methods and log
// handlers may panic, block, or end their goroutine. So each run has a goroutine of its own and a
// limited time, after which the caller goes on. At most cap(slots) runs are alive at a time:
// further ones are refused until one ends.
type isolator struct {
	slots   chan struct{} // a token for each run
	timeout time.Duration
}

// newIsolator returns an isolator for that many runs at a time. It starts no goroutine.
func newIsolator(runs int, timeout time.Duration) isolator {
	return isolator{make(chan struct{}, runs), timeout}
}

// run runs f, and reports whether it returned within the timeout. If it did not, f may still be
// running, so what f writes must not be read.
func (i isolator) run(f func()) (returned bool) {
	// If all slots are taken, f does not run: a caller never waits for code that may never return.
	select {
	case i.slots <- struct{}{}:
	default:
		return false
	}
	// ended: from the goroutine of f to the caller, sent once. It says whether f returned. It has
	// room for that, as the caller may have gone on after the timeout.
	ended := make(chan bool, 1)
	go func() {
		returned := false
		// The deferred function also runs after a panic and after runtime.Goexit.
		defer func() {
			_ = recover() // user code harms its own caller only, and this goroutine has none
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
