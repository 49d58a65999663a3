//go:build unix

package child

import (
	"os"
	"strconv"
	"syscall"
)

// markInherited marks all open files of this process but the standard ones, so that programs that
// it starts do not have them. Files that Go opens are marked already.
func markInherited() {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		return // a system without it passes on what it was given
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}
