package child

import "golang.org/x/sys/unix"

// adoptOrphans makes this process the parent of the processes that the command leaves behind. So it
// can wait for them, also in a container in which process 1 waits for none.
func adoptOrphans() { unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// waitedFor returns what to wait for when a process or a group is meant: all children. An orphan
// that has ended and is not waited for would stay until this process ends, also one that has left
// the group.
func waitedFor(int) int { return -1 }
