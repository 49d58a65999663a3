package main

import (
	"errors"

	"github.com/treelock/treelock/cmd/treelock/internal/where"
)

// Exit statuses. docs/command.md promises them.
const (
	statusOK          = 0
	statusConflict    = 1  // of check, guard and doctor: the answer is no
	statusUsage       = 64 // EX_USAGE: wrong flags, arguments or paths
	statusUnavailable = 69 // EX_UNAVAILABLE: etcd cannot be reached, or refuses
	statusSoftware    = 70 // EX_SOFTWARE: any other failure of treelock
	statusTempFail    = 75 // EX_TEMPFAIL: not acquired in time, or refused
	statusConfig      = 78 // EX_CONFIG: no etcd is configured, or a bad configuration file
	statusLost        = 79 // the lock was lost, so the command was ended, or not begun
	statusNotRun      = 126
	statusNotFound    = 127
	statusSignal      = 128 // and the number of the signal
)

// An exitError is an error with an exit status. With no error inside, nothing is printed.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usageError(err error) error       { return &exitError{statusUsage, err} }
func configError(err error) error      { return &exitError{statusConfig, err} }
func unavailableError(err error) error { return &exitError{statusUnavailable, err} }

// statusOf returns the exit status that an error has.
func statusOf(err error) int {
	var exit *exitError
	switch {
	case err == nil:
		return statusOK
	case errors.As(err, &exit):
		return exit.status
	case errors.Is(err, where.ErrUsage):
		return statusUsage
	case errors.Is(err, where.ErrConfig):
		return statusConfig
	case errors.Is(err, where.ErrUnavailable):
		return statusUnavailable
	}
	return statusSoftware
}
