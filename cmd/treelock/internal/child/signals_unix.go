//go:build unix

package child

import (
	"os"
	"os/signal"
	"syscall"
)

// Signals returns those that end a wait, and that the command gets. SIGHUP and SIGINT stay ignored
// if they were, as by nohup. Of the others the runtime of Go has forgotten that.
func Signals() (all []os.Signal) {
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2} {
		if !signal.Ignored(s) {
			all = append(all, s)
		}
	}
	return all
}

// Continue returns the signals that continue a process that was stopped. While a command runs, they
// are for it as well.
func Continue() []os.Signal { return []os.Signal{syscall.SIGCONT} }

// Number returns the number of a signal.
func Number(s os.Signal) int {
	number, _ := s.(syscall.Signal)
	return int(number)
}
