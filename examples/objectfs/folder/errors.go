package folder

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrOverlap says that a folder was to be renamed or copied onto itself, into itself, or onto
	// a folder that it lies in; or a file onto itself. Nothing was touched.
	ErrOverlap = errors.New("source and destination are one another or inside one another: choose a destination apart from the source")

	// ErrChanged says that a file went away in the middle of an operation that holds its folder: somebody
	// writes there without asking for the same locks.
	ErrChanged = errors.New("the folder changed under the operation: some writer does not take the locks: guard all writers by the same Locker")
)

// A PartialError says that the store failed in the middle of an operation, what that has left behind, and
// what to do about it. An operation on a folder that fails with any other error has changed nothing.
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

// apart refuses two folders of which one is, or lies in, the other. The claims would be granted, as a request
// never conflicts with itself; the operation makes no sense.
func apart(src, dst string) error {
	if strings.HasPrefix(dst+"/", src+"/") || strings.HasPrefix(src+"/", dst+"/") {
		return ErrOverlap
	}
	return nil
}
