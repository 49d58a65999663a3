package folder

import (
	"errors"
	"fmt"
	"io/fs"
)

var (
	// ErrOverlap means that a file was to be renamed or copied onto itself, or a folder onto
	// itself, into itself, or onto a folder that it lies in.
	ErrOverlap = errors.New("source and destination are one another or inside one another")

	// ErrChanged means that a file went away in the middle of an operation that holds its folder:
	// a writer does not use the same Locker.
	ErrChanged = errors.New("the folder changed while it was locked")
)

// A PartialError means that an operation stopped in the middle. It says what is left of it, and
// what to do about that.
type PartialError struct {
	Left string // what may be in the store now
	Do   string // how to mend it
	Err  error  // why the operation stopped
}

// Error gives the reason, what is left, and what to do.
func (e *PartialError) Error() string {
	return fmt.Sprintf("%v: %s: %s", e.Err, e.Left, e.Do)
}

// Unwrap returns the reason.
func (e *PartialError) Unwrap() error { return e.Err }

// midway turns the error of a listed file that is missing into [ErrChanged]. It must not match
// [fs.ErrNotExist], which says that nothing has changed.
func midway(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w (%v)", ErrChanged, err)
	}
	return err
}
