//go:build unix

package where

import (
	"fmt"
	"os"
	"syscall"
)

// checkOwner returns an error if the project's file was found in a parent folder, and belongs to a
// stranger: neither this user nor root, nor the owner of the working directory. A user could put a
// repository into a folder such as /tmp, and get the locks of all below it.
func checkOwner(name string) error {
	owner, ok := ownerOf(name)
	if !ok || owner == 0 || owner == os.Geteuid() {
		return nil
	}
	if here, ok := ownerOf("."); ok && here == owner {
		return nil
	}
	return fmt.Errorf("%s: it belongs to another user, with the number %d: trust it by --root, or set it aside", name, owner)
}

// ownerOf returns the number of the user that a file belongs to, if there is a file.
func ownerOf(name string) (uid int, ok bool) {
	info, err := os.Stat(name)
	if err != nil {
		return 0, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}
