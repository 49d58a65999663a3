package job

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

// errWrong means that an operation succeeded, or was refused, where by the ledger it must not.
var errWrong = errors.New("objectfs: an operation did not find what earlier ones left")

// A Ledger knows what each slot, a folder of the job, must hold. Operations record their outcome in
// it while they hold their request, so under locks it is right about every slot that the caller
// holds. Without locks it has the order in which operations ended, so that two that merely
// overlapped may leave a stale folder; a torn or mixed one is wrong by any order.
//
// The context of an operation is that of [lock.Held]. A ledger may refuse a caller that holds its
// request no more.
type Ledger interface {
	// Versions returns what slots must hold, in their order.
	Versions(ctx context.Context, slots []string) ([]Version, error)

	// Put records that v was written to a slot.
	Put(ctx context.Context, slot string, v Version) error

	// Transfer records that an operation ended with err: nil, or one that matches fs.ErrNotExist or
	// fs.ErrExist. Its error says that this is wrong.
	Transfer(ctx context.Context, t Transfer, err error) error
}

// A Transfer moves or copies the slots Src to the slots Dst. Without Dst it deletes.
type Transfer struct {
	From, To string // the folders that were named
	Src, Dst []string
	Keep     bool // copy
}

// Memory is a [Ledger] in memory.
type Memory struct {
	mu   sync.Mutex
	want map[string]Version // by the key of the slot; none if it must be empty
}

// NewMemory returns a ledger in which every slot must be empty.
func NewMemory() *Memory { return &Memory{want: make(map[string]Version)} }

// Versions is that of [Ledger], as are Put and Transfer.
func (l *Memory) Versions(_ context.Context, slots []string) ([]Version, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	versions := make([]Version, len(slots))
	for i, slot := range slots {
		versions[i] = l.want[slot]
	}
	return versions, nil
}

func (l *Memory) Put(_ context.Context, slot string, v Version) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.want[slot] = v
	return nil
}

func (l *Memory) Transfer(_ context.Context, t Transfer, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	wrong := l.dispute(err, t)
	if err != nil {
		return wrong
	}
	for i, slot := range t.Src {
		if len(t.Dst) > 0 {
			l.want[t.Dst[i]] = l.want[slot]
		}
		if !t.Keep {
			delete(l.want, slot)
		}
	}
	return wrong
}

// Clear records that a folder and all in it was deleted, and Move that it was renamed. They are for
// operations that another process has left half done.
func (l *Memory) Clear(folder string) { l.Move(folder, "") }

// Move is described at Clear.
func (l *Memory) Move(src, dst string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	moved := make(map[string]Version)
	for slot, v := range l.want {
		if rest, in := strings.CutPrefix(slot+"/", src+"/"); in {
			moved[strings.TrimSuffix(dst+"/"+rest, "/")] = v
			delete(l.want, slot)
		}
	}
	for slot, v := range moved {
		if dst != "" {
			l.want[slot] = v
		}
	}
}

func (l *Memory) holds(slots []string) bool {
	return slices.ContainsFunc(slots, func(slot string) bool { return l.want[slot] != Version{} })
}

// dispute compares the outcome of an operation with the one that the ledger expects.
func (l *Memory) dispute(err error, t Transfer) error {
	there, taken := l.holds(t.Src), l.holds(t.Dst)
	switch {
	case err == nil && !there:
		return fmt.Errorf("%w: %q was there, though it must not be", errWrong, t.From)
	case err == nil && taken:
		return fmt.Errorf("%w: %q was free, though it must not be", errWrong, t.To)
	case errors.Is(err, fs.ErrNotExist) && there:
		return fmt.Errorf("%w: %q was not there, though it must be", errWrong, t.From)
	case errors.Is(err, fs.ErrExist) && !taken:
		return fmt.Errorf("%w: %q was taken, though it must not be", errWrong, t.To)
	}
	return nil
}
