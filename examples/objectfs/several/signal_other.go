//go:build !unix

package main

import (
	"errors"
	"os"
)

// Such a system cannot stop a process and let it go on.
func pause(*os.Process) error  { return errors.ErrUnsupported }
func resume(*os.Process) error { return errors.ErrUnsupported }

func lives(*os.Process) bool { return false }
