// Package job is the work that shows what locks on folders are for: many clients read, overwrite, rename, copy
// and delete whole folders of real files at once, and at the end every folder is compared with what it must
// hold.
package job

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/treelock/treelock/examples/objectfs/folder"
	"github.com/treelock/treelock/examples/objectfs/lock"
	"github.com/treelock/treelock/examples/objectfs/store"
)

// ErrInUse says that there are objects below the prefix already. None was touched.
var ErrInUse = errors.New("there is something below this prefix already: choose another one, nothing was touched")

// parallel is how many objects are loaded, verified or removed at a time.
const parallel = 32

// Config says what a job is to do.
type Config struct {
	Store   store.Store   // where the folders are
	Latency time.Duration // of each operation of the store while the clients work
	Prefix  string        // of all keys; nothing else is touched
	Trees   []*Tree       // what to fill the folders with
	Locks   lock.Locker   // guards the folders
	Clients int           // how many work at the same time
	Ops     int           // how many operations they do in all
	Seed    uint64        // decides what each client chooses
}

// A Job is one run over the folders below a prefix: Load, then Run, then Verify, then Clean, each once,
// one after the other.
type Job struct {
	config Config
	store  store.Store
	trees  []*Tree
	fs     *folder.FS
	layout layout
	ledger *ledger

	versions atomic.Uint64 // the number of the last one
	started  atomic.Int64  // operations
	done     atomic.Int64

	mu     sync.Mutex
	result Result
}

// A Count is how operations of one kind ended.
type Count struct {
	Done    int
	Refused int // nothing to act on, or the destination was taken, and rightly so
	Failed  int // for another reason: by interference, or by a store that fails
}

// A Result is what the clients did.
type Result struct {
	Ops     map[Op]Count
	Reads   map[Kind]int // wrong reads by what was wrong with them; they are failed ones too
	Errors  []string     // the first few failures
	Elapsed time.Duration
}

// New returns the job that config describes. There must be a tree, a client and an operation at least.
func New(config Config) *Job {
	return &Job{
		config: config,
		store:  config.Store,
		trees:  config.Trees,
		fs:     folder.New(store.Slow(config.Store, config.Latency), config.Locks),
		layout: newLayout(config.Prefix, max(len(config.Trees), fewestFilled)),
		ledger: newLedger(),
		result: Result{Ops: make(map[Op]Count), Reads: make(map[Kind]int)},
	}
}

// Folders returns how many folders the clients choose from.
func (j *Job) Folders() int { return len(j.layout.slots) }

// Done returns how many operations have ended. It may be called at any time, from any goroutine.
func (j *Job) Done() int { return int(j.done.Load()) }

// Load fills most of the folders, without the latency. It refuses a prefix that is in use with [ErrInUse]; if it fails
// otherwise, or ctx ends, Clean removes what it has written.
func (j *Job) Load(ctx context.Context) error {
	there, err := j.store.List(ctx, j.config.Prefix+"/")
	if err != nil {
		return fmt.Errorf("objectfs: load: %w", err)
	}
	if len(there) > 0 {
		return fmt.Errorf("objectfs: load: %q: %w", j.config.Prefix, ErrInUse)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i := range max(len(j.trees), fewestFilled) {
		slot := j.layout.slots[i]
		v := version{j.trees[i%len(j.trees)], j.versions.Add(1)}
		j.ledger.put(nil, slot, v)
		for name, data := range v.render() {
			group.Go(func() error { return j.store.Write(ctx, slot.key+"/"+name, data) })
		}
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("objectfs: load: %w", err)
	}
	return nil
}

// Verify compares every folder in the store with what it must hold, by the bytes that are there, and
// returns what is damaged, by name.
func (j *Job) Verify(ctx context.Context) ([]Damage, error) {
	keys, err := j.store.List(ctx, j.config.Prefix+"/")
	if err != nil {
		return nil, fmt.Errorf("objectfs: verify: %w", err)
	}
	rest := make(map[string]bool, len(keys))
	for _, key := range keys {
		rest[key] = true
	}
	var damages []Damage
	for _, slot := range j.layout.everything() {
		files, err := j.take(ctx, slot, keys, rest)
		if err != nil {
			return nil, fmt.Errorf("objectfs: verify: %w", err)
		}
		want := j.ledger.versions(place{slots: []string{slot}})[0]
		if damage, sound := judge(slot, files, want, j.trees); !sound {
			damages = append(damages, damage)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(rest)) {
		damages = append(damages, Damage{key, Stray, "a file outside all folders"})
	}
	return damages, nil
}

// take reads those files of keys that are in slot, and takes them out of rest.
func (j *Job) take(ctx context.Context, slot string, keys []string, rest map[string]bool) (folder.Files, error) {
	var mu sync.Mutex // guards files
	files := make(folder.Files)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	start, _ := slices.BinarySearch(keys, slot+"/")
	for _, key := range keys[start:] {
		if len(key) <= len(slot) || key[:len(slot)+1] != slot+"/" {
			break
		}
		delete(rest, key)
		group.Go(func() error {
			data, err := j.store.Read(ctx, key)
			mu.Lock()
			defer mu.Unlock()
			files[key[len(slot)+1:]] = data
			return err
		})
	}
	return files, group.Wait()
}

// Clean removes everything below the prefix. It must not be called if Load was refused with [ErrInUse].
func (j *Job) Clean(ctx context.Context) error {
	keys, err := j.store.List(ctx, j.config.Prefix+"/")
	if err != nil {
		return fmt.Errorf("objectfs: clean up: %w: remove what is below %q", err, j.config.Prefix)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, key := range keys {
		group.Go(func() error {
			if err := j.store.Delete(ctx, key); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("objectfs: clean up: %w: remove what is below %q", err, j.config.Prefix)
	}
	return nil
}
