package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/cmd/treelock/internal/child"
	"github.com/treelock/treelock/manager"
	"github.com/treelock/treelock/manager/cluster"
	"golang.org/x/term"
)

// showEvery is how often a waiting request is looked for. It is the time of a snapshot of this
// process, and asks nothing of etcd.
const showEvery = 250 * time.Millisecond

// showWait shows what a tagged request waits for until ctx ends. It then removes what it has drawn
// on a terminal, and closes the channel.
func showWait(ctx context.Context, out io.Writer, locks *cluster.Manager, req treelock.Request[treelock.Path]) <-chan struct{} {
	done := make(chan struct{})
	d := newDisplay(out)
	redraw := make(chan os.Signal, 1)
	notifyRedraw(redraw)
	go func() {
		defer close(done)
		defer stopNotify(redraw)
		defer d.clear()
		for tick := time.NewTicker(showEvery); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case sig := <-redraw:
				d.changed(sig)
			case <-tick.C:
			}
			d.look(ctx, locks, req)
		}
	}()
	return done
}

// nodesOf returns the nodes that a request claims.
func nodesOf(req treelock.Request[treelock.Path]) (nodes []treelock.Path) {
	for c := range req.Claims() {
		nodes = append(nodes, c.Node)
	}
	return nodes
}

// A display shows what a request waits for. On a terminal in whose foreground this process is, it
// is drawn again as time passes. Elsewhere a line tells each change.
type display struct {
	out   io.Writer
	fd    int // of the terminal; -1 if out is none, or not one that can be drawn on
	color bool

	key   string   // of the last line
	drawn []string // what is on the terminal now, as it was cut
	again bool     // draw also what is drawn already
}

func newDisplay(out io.Writer) *display {
	d := &display{out: out, fd: -1, color: os.Getenv("NO_COLOR") == ""}
	if f, ok := out.(*os.File); ok && canDraw && term.IsTerminal(int(f.Fd())) {
		if kind := os.Getenv("TERM"); kind != "" && kind != "dumb" {
			d.fd = int(f.Fd())
		}
	}
	return d
}

// look shows what the request waits for now.
func (d *display) look(ctx context.Context, locks *cluster.Manager, req treelock.Request[treelock.Path]) {
	s, err := locks.Snapshot(ctx, manager.Query[treelock.Path]{Below: nodesOf(req)})
	if err != nil {
		return
	}
	if w, ok := waitingOf(s, req.Tag()); ok {
		d.show(w)
	}
}

func (d *display) show(w waiting) {
	if d.fd >= 0 && child.InForeground(d.fd) {
		width, height, err := term.GetSize(d.fd)
		if err == nil && width > 1 && height > 1 {
			d.draw(w.lines(), width, height)
			return
		}
	}
	d.drawn = nil // the shell has written since
	if key := w.key(); key != d.key {
		d.key = key
		fmt.Fprintln(d.out, w.line())
	}
}

// What a terminal understands.
const (
	up      = "\x1b[%dA" // move up by lines
	erase   = "\x1b[J"   // from here to the end of the screen
	noWrap  = "\x1b[?7l" // cut lines that are too long, as those of wide characters
	wrap    = "\x1b[?7h" // go on with them on the next line
	bold    = "\x1b[1m"  // until plain
	plain   = "\x1b[0m"
	toStart = "\r"
)

// draw replaces what was drawn before by lines, which are cut to the size of the terminal.
func (d *display) draw(lines []string, width, height int) {
	lines = lines[:min(len(lines), height-1)]
	for i, line := range lines {
		lines[i] = cut(line, width-1)
	}
	if !d.again && strings.Join(lines, "\n") == strings.Join(d.drawn, "\n") {
		return
	}
	var b strings.Builder
	b.WriteString(d.back(width) + noWrap)
	for i, line := range lines {
		if i == 0 && d.color {
			line = bold + line + plain
		}
		b.WriteString(line + "\n")
	}
	b.WriteString(wrap)
	d.drawn, d.again = lines, false
	io.WriteString(d.out, b.String())
}

// back returns what moves to the start of what was drawn and erases it. A terminal that has become
// narrower shows a line on several.
func (d *display) back(width int) string {
	rows := 0
	for _, line := range d.drawn {
		rows += max(1, (utf8.RuneCountInString(line)+width-1)/width)
	}
	if rows == 0 {
		return ""
	}
	return toStart + fmt.Sprintf(up, rows) + erase
}

// clear removes what was drawn.
func (d *display) clear() {
	if len(d.drawn) == 0 || !child.InForeground(d.fd) {
		return
	}
	width, _, err := term.GetSize(d.fd)
	if err != nil {
		return
	}
	io.WriteString(d.out, d.back(max(width, 1)))
	d.drawn = nil
}

// changed is called for a signal that asks to draw again. After a stop of this process, the shell
// has written below what was drawn.
func (d *display) changed(sig os.Signal) {
	if d.again = true; slices.Contains(child.Continue(), sig) {
		d.drawn = nil
	}
}

// cut returns the first n characters of a line.
func cut(line string, n int) string {
	if utf8.RuneCountInString(line) <= n {
		return line
	}
	return string([]rune(line)[:max(n-1, 0)]) + "…"
}
