package job

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"sync"
	"time"
)

// reported is how many failures a [Result] quotes.
const reported = 5

// grace is how long operations may go on when the run is to end.
const grace = 30 * time.Second

// Run lets the clients work until all operations are done. When ctx ends they start no further one, and those
// under way, waiting ones included, go on to their end; those that take longer than half a minute then fail.
func (j *Job) Run(ctx context.Context) Result {
	start := time.Now()
	ops, cancel := outlive(ctx, grace)
	defer cancel()
	var clients sync.WaitGroup
	for id := range j.config.Clients {
		clients.Go(func() { j.client(ctx, ops, uint64(id)) })
	}
	clients.Wait()
	j.result.Elapsed = time.Since(start)
	return j.result
}

// outlive returns a context that ends some time after ctx, or at cancel.
func outlive(ctx context.Context, by time.Duration) (longer context.Context, cancel func()) {
	longer, end := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(by, end)
		context.AfterFunc(longer, func() { timer.Stop() })
	})
	return longer, func() { stop(); end() }
}

// client does operations for as long as there are some to do. What it chooses depends on the seed and on
// what it finds; which operations meet, on the others.
func (j *Job) client(ctx, ops context.Context, id uint64) {
	rng := rand.New(rand.NewPCG(j.config.Seed, id))
	for ctx.Err() == nil && j.started.Add(1) <= int64(j.config.Ops) {
		op := draw(rng)
		err := j.perform(ops, rng, op)
		j.count(op, err)
		j.done.Add(1)
	}
}

func (j *Job) count(op Op, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	count := j.result.Ops[op]
	var wrong *wrongRead
	switch {
	case err == nil:
		count.Done++
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrExist):
		count.Refused++
	default:
		count.Failed++
		if len(j.result.Errors) < reported {
			j.result.Errors = append(j.result.Errors, err.Error())
		}
	}
	if errors.As(err, &wrong) {
		j.result.Reads[wrong.damage.Kind]++
	}
	j.result.Ops[op] = count
}
