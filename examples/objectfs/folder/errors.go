package folder

import (
	"errors"
	"fmt"
	"io/fs"
)

// Errors match one of these, or the errors of package io/fs. The comment of each operation says how
// to mend what it leaves behind.
var (
	// ErrOverlap means that a file was to be renamed or copied onto itself, or a folder onto
	// itself, into itself, or onto a folder that it lies in.
	ErrOverlap = errors.New("source and destination are one another or inside one another")

	// ErrChanged means that a file went away in the middle of an operation that holds its folder:
	// a writer does not use the same Locker.
	ErrChanged = errors.New("the folder changed while it was locked")

	// ErrPartial means that the operation stopped in the middle: the folder that it writes or
	// deletes may hold some of its files.
	ErrPartial = errors.New("done in part")

	// ErrLeftover means that a rename has made the destination, and not deleted all of the source.
	ErrLeftover = errors.New("the source is not deleted")

	// ErrUnverified means that a copy is made, and that the store does not list all of it, or did
	// not answer.
	ErrUnverified = errors.New("the copy is not verified")
)

// because returns reason with err as its cause, nil if that is nil.
func because(reason, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", reason, err)
}

// midway turns the error of a listed file that is missing into [ErrChanged]. It must not match
// [fs.ErrNotExist], which says that nothing has changed.
func midway(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w (%v)", ErrChanged, err)
	}
	return err
}
