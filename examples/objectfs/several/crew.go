package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/treelock/treelock/examples/objectfs/command"
)

const (
	progressEvery = 2 * time.Second
	startTime     = 30 * time.Second // how long the workers may take to start
	endTime       = 20 * time.Second // how long they may take to end
	armedTime     = 2 * time.Second  // how long a fault waits for the middle of an operation
)

// A crew is the workers, from the side of the parent.
type crew struct {
	*service
	config  config
	stderr  io.Writer
	workers []*worker
	ready   chan int      // from the calls; has room for all workers
	begin   chan struct{} // closed when all are ready; nothing is sent
	stop    chan struct{} // closed when the workers are to stop; nothing is sent
	ended   chan *worker  // from the goroutines that wait for a process; has room for all
}

type worker struct {
	id     int
	name   string
	cmd    *exec.Cmd
	err    error // how it ended
	doomed bool  // it is to be killed
}

func newCrew(s *service, c config, folders int, stderr io.Writer) *crew {
	return &crew{
		service: s, config: c, stderr: stderr, ready: make(chan int, c.workers),
		begin: make(chan struct{}), stop: make(chan struct{}), ended: make(chan *worker, c.workers),
	}
}

// run starts the workers, lets them work, and returns when all processes have ended.
func (c *crew) run(ctx context.Context, j *janitor, setup Setup) (err error) {
	for id := range c.config.workers {
		setup.Name, setup.Seed = nameOf(id), c.config.seed*1_000_003+uint64(id)
		setup.Numbers = uint64(id+1) << 32
		if err = c.start(id, j, setup); err != nil {
			break
		}
	}
	if err == nil {
		err = c.await(ctx)
	}
	if err == nil {
		c.service.start = time.Now()
		close(c.begin)
		c.direct(ctx)
	}
	close(c.stop)
	return errors.Join(err, c.end())
}

func nameOf(id int) string { return fmt.Sprintf("worker-%d", id+1) }

// start starts a worker, and serves its calls until it ends.
func (c *crew) start(id int, j *janitor, setup Setup) error {
	cmd, err := child(roleWorker)
	if err != nil {
		return err
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	j.watch(cmd.Process)
	w := &worker{id: id, name: setup.Name, cmd: cmd}
	c.workers = append(c.workers, w)
	calls := &Calls{service: c.service, worker: id, setup: setup, ready: c.ready, begin: c.begin, stop: c.stop}
	go func() {
		calls.serve(pipes{stdout, stdin})
		w.err = cmd.Wait()
		c.ended <- w
	}()
	return nil
}

// await waits until all workers are ready.
func (c *crew) await(ctx context.Context) error {
	limit := time.After(startTime)
	for range c.workers {
		select {
		case <-c.ready:
		case w := <-c.ended:
			c.ended <- w // for end
			return fmt.Errorf("several: %s cannot start", w.name)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-limit:
			return fmt.Errorf("several: the workers are not ready after %v", startTime)
		}
	}
	return nil
}

// direct lets the workers work, kills one in the middle of an operation, and stops another one in
// the middle of an operation for longer than its lease.
func (c *crew) direct(ctx context.Context) {
	whole := time.Duration(c.config.seconds) * time.Second
	killed, stopped := c.workers[1], c.workers[2]
	over, stop := context.WithTimeout(ctx, whole)
	defer stop()
	killed.doomed = true
	watched := make(chan struct{})
	go func() { c.watch(over, stop); close(watched) }()
	if c.pause(over, whole/4) {
		c.strike(over, killed, "killed", false, killed.cmd.Process.Kill)
	}
	if c.pause(over, whole/6) {
		if c.strike(over, stopped, "stopped", true, func() error { return pause(stopped.cmd.Process) }) {
			c.pause(over, ttl+max(1500*time.Millisecond, whole/5))
			for c.service.leftHalfDone(stopped.id) && c.pause(over, 50*time.Millisecond) {
				// What it then sends is late only where another process has been meanwhile.
			}
			resume(stopped.cmd.Process) // also if the time is over
			c.resumed(stopped.id)
			c.tell("%s goes on", stopped.name)
		}
	}
	<-watched
}

// strike does a fault to w, in the middle of an operation if there is one soon. It returns whether
// it did. between is that of the fault.
func (c *crew) strike(ctx context.Context, w *worker, what string, between bool, do func() error) bool {
	var err error
	f := &fault{worker: w.id, between: between, do: func() { err = do() }, done: make(chan struct{})}
	c.arm(f)
	select {
	case <-f.done:
	case <-time.After(armedTime):
	case <-ctx.Done():
	}
	if c.disarm(f) {
		if ctx.Err() != nil {
			return false
		}
		f.do()
	}
	if err != nil {
		c.tell("%s cannot be %s: %v", w.name, what, err)
		return false
	}
	c.struck(w.id, what)
	c.tell("%s is %s", w.name, what)
	return true
}

// pause waits for d. It returns false if ctx ends first.
func (c *crew) pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// watch tells the progress until ctx ends. It calls stop when all workers have ended, or one has
// failed: the error is for end.
func (c *crew) watch(ctx context.Context, stop func()) {
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	for left := len(c.workers); ; {
		select {
		case w := <-c.ended:
			left--
			defer func() { c.ended <- w }() // for end
			if left == 0 || w.err != nil && !w.doomed {
				stop()
			}
		case <-ticker.C:
			c.tell("%s operations", command.Grouped(c.done()))
		case <-ctx.Done():
			return
		}
	}
}

func (c *crew) tell(format string, args ...any) {
	fmt.Fprintf(c.stderr, "%4.1f s: %s\n", time.Since(c.service.start).Seconds(), fmt.Sprintf(format, args...))
}

// end waits until all workers have ended, and kills those that take too long.
func (c *crew) end() (err error) {
	limit := time.After(endTime)
	for range c.workers {
		select {
		case w := <-c.ended:
			if w.err != nil && !w.doomed {
				err = errors.Join(err, fmt.Errorf("several: %s failed: %w", w.name, w.err))
			}
		case <-limit:
			for _, w := range c.workers {
				w.cmd.Process.Kill() // also one that has ended
			}
			err = errors.Join(err, errors.New("several: the workers did not end in time"))
			limit = nil
		}
	}
	return err
}
