//go:build unix

package main

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// canDraw says that a terminal understands what moves in it.
const canDraw = true

// notifyRedraw sends the signals after which a display must be drawn again.
func notifyRedraw(c chan<- os.Signal) { signal.Notify(c, unix.SIGWINCH, unix.SIGCONT) }

func stopNotify(c chan<- os.Signal) { signal.Stop(c) }
