package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/treelock/treelock/internal/nodetext"
	"golang.org/x/term"
)

// endSignals returns those that end what goes on until it is ended. SIGHUP stays ignored if it was,
// as by nohup.
func endSignals() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// watchInterval is how often treelock ls --watch looks. What comes and goes in between is not seen.
const watchInterval = 500 * time.Millisecond

// A watcher follows the changes of a view. With a canvas it redraws a table, without it writes a
// JSON object for each change.
type watcher struct {
	look   func(context.Context) (*view, error)
	out    io.Writer
	canvas *canvas
	last   *view  // nil before the first
	stale  string // why last may be over by now
}

// run follows the changes until ctx ends.
func (w *watcher) run(ctx context.Context) error {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for {
		v, err := w.look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && w.last == nil:
			return err
		}
		if err := w.tell(v, err); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// tell tells of a view, or of why there is none.
func (w *watcher) tell(v *view, err error) error {
	var changes []change
	if err != nil {
		if w.stale == "" {
			changes = []change{{Time: time.Now(), Change: "unknown", Error: err.Error()}}
		}
		w.stale = err.Error()
	} else {
		if w.stale != "" {
			changes = []change{{Time: v.Taken, Change: "known"}}
		}
		changes = append(changes, changesOf(w.last, v)...)
		w.last, w.stale = v, ""
	}
	if w.canvas != nil {
		return w.canvas.draw(w.last, w.stale)
	}
	for _, c := range changes {
		if err := writeJSON(w.out, c); err != nil {
			return err
		}
	}
	return nil
}

// A change is what ls --watch writes as JSON. The first changes tell of all that is live at the
// start.
type change struct {
	Time time.Time `json:"time"` // at which it was seen

	// Change is holding or waiting for a request that does so now, narrowed for a holder whose
	// claims have become less, and ended. It is unknown, with an error, when etcd does not answer,
	// and known when it does again.
	Change  string       `json:"change"`
	Request *liveRequest `json:"request,omitempty"`
	Error   string       `json:"error,omitempty"`
}

// changesOf returns what has changed since before, in the order of the tokens, ends first.
func changesOf(before, now *view) (changes []change) {
	add := func(what string, r liveRequest) {
		changes = append(changes, change{Time: now.Taken, Change: what, Request: &r})
	}
	if before == nil {
		before = &view{}
	}
	old, live := before.byToken(), now.byToken()
	for _, r := range before.all() {
		if _, ok := live[r.Token]; !ok {
			add("ended", r)
		}
	}
	for _, r := range now.all() {
		was, ok := old[r.Token]
		switch {
		case !ok || was.State != r.State:
			add(r.State.String(), r)
		case !slices.Equal(was.Claims, r.Claims):
			add("narrowed", r)
		}
	}
	return changes
}

// A canvas is a terminal that shows one view.
type canvas struct {
	out  io.Writer
	size func() (width, height int, err error)
}

// canvasOf returns the canvas that out is, nil if it is none that can be redrawn.
func canvasOf(out io.Writer) *canvas {
	f, ok := out.(*os.File)
	if !ok || !canDraw || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return &canvas{out, func() (int, int, error) { return term.GetSize(int(f.Fd())) }}
}

// maxReason is how many bytes of a reason are shown.
const maxReason = 200

// What a terminal understands.
const (
	screenHome  = "\x1b[H"
	screenErase = "\x1b[J"   // from here to the end
	lineErase   = "\x1b[K"   // from here to the end of the line
	lineCut     = "\x1b[?7l" // cut long lines
	lineWrap    = "\x1b[?7h"
)

// draw shows a view, as much of it as there is room for.
func (c *canvas) draw(v *view, stale string) error {
	_, height, err := c.size()
	if err != nil || height < 3 {
		height = 24
	}
	head := fmt.Sprintf("%s  %d holding, %d waiting", v.Taken.Format(time.TimeOnly), len(v.Holders), len(v.Waiters))
	if stale != "" {
		head += "  " + nodetext.Escaped(stale, maxReason)
	}
	lines := append([]string{head}, strings.Split(strings.TrimSuffix(v.table(), "\n"), "\n")...)
	if room := height - 1; len(lines) > room {
		lines = append(lines[:room-1], fmt.Sprintf("%d more", len(lines)-room+1))
	}
	var b strings.Builder
	b.WriteString(screenHome + lineCut)
	for _, line := range lines {
		b.WriteString(line + lineErase + "\r\n")
	}
	b.WriteString(screenErase + lineWrap)
	_, err = io.WriteString(c.out, b.String())
	return err
}
