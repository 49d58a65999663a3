package measure

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// lineEvery is how often a line tells of the progress where there is no terminal.
const lineEvery = 10 * time.Second

// Show returns a function that shows the progress of p on w: as a bar on a terminal, else as a line now and then. end
// must be called when there is no more of it.
func Show(w io.Writer, p Plan) (show func(Progress), end func()) {
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return bar(w, p)
	}
	return lines(w, p, time.Now), func() {}
}

func (p Plan) total() int { return p.Rounds * len(p.Names) }

func lines(w io.Writer, p Plan, now func() time.Time) (show func(Progress)) {
	last := now()
	return func(done Progress) {
		if t := now(); t.Sub(last) >= lineEvery || done.Done == p.total() {
			last = t
			fmt.Fprintf(w, "round %d of %d: %d of %d benchmarks, now past %s\n", done.Round, p.Rounds, done.Done, p.total(), done.Last)
		}
	}
}

func bar(w io.Writer, p Plan) (show func(Progress), end func()) {
	bar := progressbar.NewOptions(p.total(),
		progressbar.OptionSetWriter(w),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetItsString("benchmarks"),
	)
	// What cannot be shown is not worth ending the work for.
	show = func(done Progress) {
		bar.Describe(fmt.Sprintf("round %d of %d", done.Round, p.Rounds))
		_ = bar.Set(done.Done)
	}
	return show, func() { _ = bar.Clear() }
}
