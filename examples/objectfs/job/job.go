// Package job is the work that shows what locks on folders are for: many clients read, overwrite,
// rename, copy and delete whole folders of real files at once, and at the end every folder is
// compared with what it must hold.
package job

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/objectfs/folder"
	"github.com/treelock/treelock/examples/objectfs/lock"
	"github.com/treelock/treelock/examples/objectfs/store"
)

// reported is how many failures a [Result] quotes.
const reported = 5

// Config says what a job is to do.
type Config struct {
	Store   store.Store   // where the folders are
	Latency time.Duration // of each operation of the store while the clients work
	Prefix  string        // of all keys, without a final slash; it must not be in use
	Trees   []*Tree       // what to fill the folders with
	Locks   lock.Locker   // guards the folders
	Clients int           // how many work at the same time
	Ops     int           // how many operations they do in all
	Seed    uint64        // decides what each client chooses

	// Ledger knows what each folder must hold. It is nil for a job that shares its folders with none.
	Ledger Ledger
	// Numbers is what the numbers of versions begin after: different for each job on a prefix.
	Numbers uint64
	// Ended is told of the end of each operation, on several goroutines, unless it is nil.
	Ended func(op string, err error)
}

// A Job is one run over the folders below a prefix: Load, then Run, then Verify, then Clean, each
// once, one after the other.
type Job struct {
	config Config
	fs     *folder.FS // of the clients
	alone  *folder.FS // neither locked nor slow, for when no client works
	layout layout

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
	Lost    int // given up in the middle, as the grant was lost: by none of the locks here
	Failed  int // for another reason: by interference, or by a store that fails

	WrongReads int // of the failed ones
}

// A Result is what the clients did.
type Result struct {
	Ops        map[string]Count // by the name of the operation
	WrongReads int              // of the failed operations
	Errors     []string         // the first few failures
	Elapsed    time.Duration
}

// New returns the job that config describes. There must be at least one tree, client and
// operation.
func New(config Config) *Job {
	if config.Ledger == nil {
		config.Ledger = NewMemory()
	}
	j := &Job{
		config: config,
		fs:     folder.New(store.Slow(config.Store, config.Latency), config.Locks),
		alone:  folder.New(config.Store, lock.None()),
		layout: newLayout(config.Prefix, max(len(config.Trees), fewestFilled)),
		result: Result{Ops: make(map[string]Count)},
	}
	j.versions.Store(config.Numbers)
	return j
}

// Folders returns how many folders there are.
func (j *Job) Folders() int { return len(j.layout.all.slots) }

// Done returns how many operations have ended. It may be called at any time, from any goroutine.
func (j *Job) Done() int { return int(j.done.Load()) }

// Load fills most of the folders. If it fails, or ctx ends, Clean removes what it has written.
func (j *Job) Load(ctx context.Context) error {
	for _, slot := range j.layout.slots[:max(len(j.config.Trees), fewestFilled)] {
		if err := j.write(ctx, j.alone, slot); err != nil {
			return err
		}
	}
	return nil
}

// Run lets the clients work until all operations are done. When ctx ends they start no further
// one. Operations that have started, waiting ones included, go on to their end.
func (j *Job) Run(ctx context.Context) Result {
	start := time.Now()
	var clients sync.WaitGroup
	for id := range j.config.Clients {
		clients.Go(func() { j.client(ctx, uint64(id)) })
	}
	clients.Wait()
	j.result.Elapsed = time.Since(start)
	return j.result
}

// client does operations for as long as there are some to do. What it chooses depends on the seed
// and on what it finds.
func (j *Job) client(ctx context.Context, id uint64) {
	rng := rand.New(rand.NewPCG(j.config.Seed, id))
	for ctx.Err() == nil && j.started.Add(1) <= int64(j.config.Ops) {
		op := draw(rng)
		j.count(op.name, j.perform(context.WithoutCancel(ctx), rng, op))
		j.done.Add(1)
	}
}

func (j *Job) count(op string, err error) {
	if j.config.Ended != nil {
		j.config.Ended(op, err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.result.Add(op, CountOf(err), err)
}

// CountOf counts one operation that ended with err.
func CountOf(err error) Count {
	switch {
	case err == nil:
		return Count{Done: 1}
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrExist):
		return Count{Refused: 1}
	case errors.Is(err, treelock.ErrLost):
		return Count{Lost: 1}
	}
	var wrong *wrongRead
	if errors.As(err, &wrong) {
		return Count{Failed: 1, WrongReads: 1}
	}
	return Count{Failed: 1}
}

// Add adds operations of one kind. If they failed, err is why.
func (r *Result) Add(op string, count Count, err error) {
	sum := r.Ops[op]
	sum.Done += count.Done
	sum.Refused += count.Refused
	sum.Lost += count.Lost
	sum.Failed += count.Failed
	sum.WrongReads += count.WrongReads
	r.Ops[op] = sum
	r.WrongReads += count.WrongReads
	if count.Failed > 0 && len(r.Errors) < reported {
		r.Errors = append(r.Errors, err.Error())
	}
}

// Verify compares every folder in the store with what it must hold, by the bytes that are there,
// and returns what is damaged, by name.
func (j *Job) Verify(ctx context.Context) ([]Damage, error) {
	files, err := j.alone.ReadFolder(ctx, j.config.Prefix)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("objectfs: verify: %w", err)
	}
	all := j.layout.all
	want, err := j.config.Ledger.Versions(ctx, all.slots)
	if err != nil {
		return nil, fmt.Errorf("objectfs: verify: %w", err)
	}
	return judge(all, files, want, j.config.Trees), nil
}

// Clean removes everything below the prefix.
func (j *Job) Clean(ctx context.Context) error {
	err := j.alone.DeleteFolder(ctx, j.config.Prefix)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("objectfs: clean up: %w", err)
	}
	return nil
}
