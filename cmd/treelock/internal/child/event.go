package child

import (
	"os"
	"time"
)

// A Command is what Start starts.
type Command struct {
	Path     string   // of the executable file
	Args     []string // with the name in front
	Env      []string
	Deadline time.Time // until when the lock counts, as far as it is known
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
