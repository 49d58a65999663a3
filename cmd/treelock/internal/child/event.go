package child

import (
	"errors"
	"os"
	"time"
)

// A Command is what Start starts.
type Command struct {
	Path string   // of the executable file
	Args []string // with the name in front
	Env  []string

	// Begin returns until when the lock counts, as far as it is known now, or why the command must
	// not begin. Start asks it again while it waits, and directly before the command begins.
	Begin func() (deadline time.Time, err error)
}

// ErrLate is the error of a command that was not begun, as the lock does not count any more.
var ErrLate = errors.New("the deadline of the lock has passed")

// mayBegin is Begin, or ErrLate if the deadline has passed.
func (c Command) mayBegin() (deadline time.Time, err error) {
	deadline, err = c.Begin()
	if err == nil && Left(deadline, time.Now()) <= 0 {
		err = ErrLate
	}
	return deadline, err
}

// An Event tells what happened to the command.
type Event struct {
	Kind   Kind
	Status int       // of Ended and Killed: the exit status that a shell would show
	Signal os.Signal // of Killed and Stopped
}

// A Kind is that of an event.
type Kind int

// The kinds of events. Each command has one of Ended and Killed, and after that one Gone.
const (
	Stopped Kind = iota // the command was stopped by a signal
	Ended               // the command has ended by itself
	Killed              // the command was ended by a signal
	Gone                // no process is left in the group
)
