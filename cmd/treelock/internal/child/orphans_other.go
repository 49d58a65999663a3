//go:build unix && !linux

package child

// adoptOrphans does nothing: process 1 waits for the processes that the command leaves behind.
func adoptOrphans() {}

// waitedFor returns what to wait for when a process or a group is meant.
func waitedFor(target int) int { return target }
