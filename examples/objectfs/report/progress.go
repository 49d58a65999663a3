package report

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

const (
	barEvery  = 100 * time.Millisecond
	lineEvery = 2 * time.Second
)

// Watch shows how far some work has come: as a bar if w is a terminal, else as a line every two seconds. When ctx
// ends, it says notice, and goes on. It asks done from a goroutine of its own, the only one that writes to w until stop
// is called; stop returns when nothing more will be written.
func Watch(ctx context.Context, w io.Writer, what string, total int, done func() int, notice string) (stop func()) {
	show, end, every := lines(w, what, total)
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		show, end, every = bar(w, what, total)
	}
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		// follow shows progress until the work is over (true) or interrupt is closed.
		follow := func(interrupt <-chan struct{}) (over bool) {
			for {
				select {
				case <-ticker.C:
					show(done())
				case <-quit:
					return true
				case <-interrupt:
					return false
				}
			}
		}
		if !follow(ctx.Done()) {
			fmt.Fprintf(w, "\n%s\n", notice)
			follow(nil) // nothing interrupts it now
		}
		end()
	}()
	return func() { close(quit); <-gone }
}

func lines(w io.Writer, what string, total int) (show func(done int), end func(), every time.Duration) {
	show = func(done int) { fmt.Fprintf(w, "%s: %d of %d operations\n", what, done, total) }
	return show, func() {}, lineEvery
}

func bar(w io.Writer, what string, total int) (show func(done int), end func(), every time.Duration) {
	bar := progressbar.NewOptions(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("operations"),
	)
	bar.StartWithoutRender() // else its clock starts with what it is first told
	// What cannot be shown is not worth ending the work for.
	return func(done int) { _ = bar.Set(done) }, func() { _ = bar.Clear() }, barEvery
}
