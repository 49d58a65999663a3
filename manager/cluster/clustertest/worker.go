//go:build unix

package clustertest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager/cluster"
	"github.com/treelock/treelock/manager/cluster/internal/steps"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// workEnv has the JSON of a Work in the environment of a process that does it.
const workEnv = "TREELOCK_WORK"

// Work is what a worker does.
type Work struct {
	Endpoints []string
	Prefix    string
	Name      string
	TTL       time.Duration
	Clients   int    // goroutines that acquire and release
	Trace     string // the file for its events
	Register  bool   // add to the register, see register.go
	Fenced    bool   // with writes that the register checks by token
}

// Patience is for how long a client of a worker waits for a grant.
const Patience = 30 * time.Second

// WorkIfAsked does the work of a worker, and does not return, if this process was started to be
// one. It must be called first in main or TestMain.
func WorkIfAsked() {
	text := os.Getenv(workEnv)
	if text == "" {
		return
	}
	var w Work
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		exit(err)
	}
	exit(w.do())
}

// do works until the standard input ends.
func (w Work) do() error {
	ctx := context.Background()
	client, err := clientv3.New(clientv3.Config{Endpoints: w.Endpoints, Logger: zap.NewNop()})
	if err != nil {
		return err
	}
	defer client.Close()
	told, err := os.OpenFile(w.Trace+".steps", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer told.Close()
	start := steps.NewContext(ctx, func(s steps.Step) { writeLine(told, s) })
	var m *cluster.Manager
	for began := Now(); m == nil; { // as a program does that starts while etcd is not there
		m, err = cluster.Start(start, client, w.Prefix, cluster.WithName(w.Name), cluster.WithTTL(w.TTL),
			cluster.WithLogger(slog.New(slog.NewTextHandler(w.log(), nil))))
		if err != nil && Now()-began > Patience {
			return err
		}
	}
	fmt.Println("ready")
	file, err := os.OpenFile(w.Trace, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	stop := make(chan struct{})
	var clients sync.WaitGroup
	begin := func(id int, work func(*traced)) {
		clients.Go(func() { work(&traced{Manager: m, file: file, client: id, stop: stop, work: w, etcd: client}) })
	}
	if w.Register {
		for id := range w.Clients {
			begin(id, (*traced).addAll)
		}
	} else {
		begin(-1, (*traced).holdOwn)
		for id := range w.Clients {
			begin(id, (*traced).lockAll)
		}
	}
	io.Copy(io.Discard, os.Stdin)
	close(stop)
	clients.Wait()
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	return m.Shutdown(ctx)
}

// log returns where the manager tells of failures.
func (w Work) log() io.Writer {
	file, err := os.OpenFile(w.Trace+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return os.Stderr
	}
	return file
}

// A traced is a client of a worker, whose requests are in its trace.
type traced struct {
	*cluster.Manager
	file   *os.File
	client int
	number int
	stop   chan struct{}
	work   Work
	etcd   *clientv3.Client
}

// trace writes an event. It is one write, so a worker that is killed leaves whole lines.
func (t *traced) trace(e Event) {
	e.Client, e.Number = t.client, t.number
	writeLine(t.file, e)
}

// writeLine writes a line of a trace.
func writeLine(file *os.File, v any) {
	line, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	if _, err := file.Write(append(line, '\n')); err != nil {
		panic(err)
	}
}

func (t *traced) stopped() bool {
	select {
	case <-t.stop:
		return true
	default:
		return false
	}
}

// pause waits for d. It returns false if lost is closed first.
func (t *traced) pause(d time.Duration, lost <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-lost:
		return false
	}
}

// holdOwn holds a path of this worker all the time.
func (t *traced) holdOwn() {
	req := treelock.Write(treelock.PathOf("own", t.work.Name))
	for !t.stopped() {
		g, ok := t.take(req, Patience, t.Acquire)
		if !ok {
			t.pause(20*time.Millisecond, nil)
			continue
		}
		select {
		case <-g.Lost():
			t.end(g, true)
		case <-t.stop:
			t.end(g, false)
		}
	}
}

// lockAll acquires, narrows and releases what it likes.
func (t *traced) lockAll() {
	for !t.stopped() {
		patience, acquire := Patience, t.Acquire
		switch rand.IntN(10) {
		case 0:
			acquire = t.TryAcquire
		case 1:
			patience = time.Duration(rand.IntN(3000)) * time.Microsecond
		case 2:
			acquire = t.submit
		}
		g, ok := t.take(anyRequest(), patience, acquire)
		if !ok {
			t.pause(5*time.Millisecond, nil)
			continue
		}
		hold := time.Duration(rand.IntN(4000)) * time.Microsecond
		lost := !t.pause(hold, g.Lost())
		if !lost && rand.IntN(4) == 0 {
			t.narrow(g)
			lost = !t.pause(hold, g.Lost())
		}
		t.end(g, lost)
		t.pause(time.Duration(rand.IntN(4000))*time.Microsecond, nil)
	}
}

// submit acquires by a ticket.
func (t *traced) submit(ctx context.Context, req treelock.Request[treelock.Path]) (g treelock.Grant[treelock.Path], err error) {
	ticket, err := t.Submit(ctx, req)
	if err != nil {
		return g, err
	}
	return ticket.Wait(ctx)
}

// take acquires req. A grant counts from a moment at which it was held for certain.
func (t *traced) take(req treelock.Request[treelock.Path], patience time.Duration,
	acquire func(context.Context, treelock.Request[treelock.Path]) (treelock.Grant[treelock.Path], error),
) (g treelock.Grant[treelock.Path], ok bool) {
	t.number++
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	asked := Now()
	t.trace(Event{Kind: Asked, At: asked})
	g, err := acquire(ctx, req.Labeled(fmt.Sprintf("%s/%d/%d", t.work.Name, t.client, t.number)))
	at := Now()
	if err == nil {
		if err = g.Err(); err != nil {
			g.Release()
		}
	}
	if err != nil {
		if errors.Is(err, treelock.ErrGaveUp) && patience < Patience {
			err = treelock.ErrConflict // it gave up as it was asked to
		}
		t.trace(Event{Kind: Failed, At: at, Took: at - asked, Error: errorKind(err)})
		return g, false
	}
	t.trace(Event{Kind: Granted, At: at, Took: at - asked, Token: g.Token(), Claims: slices.Collect(req.Claims())})
	return g, true
}

// errorKind returns "" for an error that a fault explains.
func errorKind(err error) string {
	for _, expected := range []error{treelock.ErrConflict, treelock.ErrLost} {
		if errors.Is(err, expected) {
			return ""
		}
	}
	return err.Error()
}

// narrow makes g hold less. It counts as narrowed from before the call.
func (t *traced) narrow(g treelock.Grant[treelock.Path]) {
	less := treelock.ReadNode("/a/x/1")
	if !g.Holds(less) {
		return
	}
	t.trace(Event{Kind: Narrowed, At: Now(), Token: g.Token(), Claims: slices.Collect(less.Claims())})
	if err := g.Narrow(less); err != nil && g.Err() == nil {
		t.trace(Event{Kind: Failed, At: Now(), Error: "narrow: " + err.Error()})
	}
}

// end releases g.
func (t *traced) end(g treelock.Grant[treelock.Path], lost bool) {
	t.trace(Event{Kind: Ended, At: Now(), Token: g.Token(), Lost: lost})
	g.Release()
}

// anyRequest returns a request for a few nodes of a small tree.
func anyRequest() treelock.Request[treelock.Path] {
	paths := []treelock.Path{"/a", "/a/x", "/a/x/1", "/a/x/2", "/a/y", "/b", "/b/x", "/c"}
	var req treelock.Request[treelock.Path]
	for range 1 + rand.IntN(2) {
		path := paths[rand.IntN(len(paths))]
		switch rand.IntN(6) {
		case 0:
			req = req.ReadNode(path)
		case 1:
			req = req.WriteNode(path)
		case 2, 3:
			req = req.Write(path)
		default:
			req = req.Read(path)
		}
	}
	return req
}

// A Worker is a process that works.
type Worker struct {
	Work
	Pauses []Pause
	Lines  chan string // what it prints after "ready", if there is room; closed when it ends

	cmd   *exec.Cmd
	stdin io.Closer
}

// StartWorker starts a worker, and waits until its manager has started.
func StartWorker(work Work) (*Worker, error) {
	text, err := json.Marshal(work)
	if err != nil {
		return nil, err
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w := &Worker{Work: work, Lines: make(chan string, 1000), cmd: exec.Command(exe)}
	w.cmd.Env = append(os.Environ(), workEnv+"="+string(text))
	w.cmd.Stderr = os.Stderr
	if w.stdin, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() {
		w.stdin.Close()
		return nil, fmt.Errorf("worker %s ended before it was ready: %w", work.Name, w.cmd.Wait())
	}
	go func() {
		defer close(w.Lines)
		for lines.Scan() {
			select {
			case w.Lines <- lines.Text():
			default: // the test does not read them
			}
		}
	}()
	return w, nil
}

// Kill ends the process at once.
func (w *Worker) Kill() {
	w.cmd.Process.Kill()
	w.Pauses = append(w.Pauses, Pause{Now(), Forever})
	w.wait()
}

func (w *Worker) wait() error {
	for range w.Lines {
	}
	w.stdin.Close()
	return w.cmd.Wait()
}

// Killed reports whether the process was killed.
func (w *Worker) Killed() bool {
	return len(w.Pauses) > 0 && w.Pauses[len(w.Pauses)-1].To == Forever
}

// Stop stops the process.
func (w *Worker) Stop() {
	w.cmd.Process.Signal(syscall.SIGSTOP)
	w.Pauses = append(w.Pauses, Pause{From: Now()})
}

// Continue lets the process go on.
func (w *Worker) Continue() {
	w.Pauses[len(w.Pauses)-1].To = Now()
	w.cmd.Process.Signal(syscall.SIGCONT)
}

// End asks the worker to end, and waits until it has.
func (w *Worker) End() error {
	w.stdin.Close()
	timer := time.AfterFunc(2*Patience, func() { w.cmd.Process.Signal(syscall.SIGQUIT) })
	defer timer.Stop()
	return w.wait()
}

// Spans returns what the worker has held.
func (w *Worker) Spans() ([]Span, []Event, error) {
	events, err := ReadTrace(w.Trace)
	return Spans(w.Name, events, w.Pauses), events, err
}

// Stop stops the process of the server.
func (s *Server) Stop() { s.cmd.Process.Signal(syscall.SIGSTOP) }

// Continue lets the process of the server go on.
func (s *Server) Continue() { s.cmd.Process.Signal(syscall.SIGCONT) }
