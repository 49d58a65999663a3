//go:build unix

package clustertest

import (
	"time"

	"golang.org/x/sys/unix"
)

// Now returns the time of a clock that all processes of this machine share, and that never goes
// back.
func Now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}
