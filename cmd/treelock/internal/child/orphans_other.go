//go:build unix && !linux

package child

// adoptOrphans does nothing: process 1 waits for the processes that the command leaves behind.
func adoptOrphans() {}
