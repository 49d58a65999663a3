// Mutants shows that the fuzz targets find faults. It puts one fault after the other into a copy of
// the library, and runs the targets on the copy until one fails.
//
//	go run ./fuzz/mutants                 # all of them, most of an hour
//	go run ./fuzz/mutants -only 'leak'    # some of them
//
// It exits with an error if a mutant survives the time given by -time.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

func main() {
	only := flag.String("only", "", "only mutants whose name matches this `regexp`")
	limit := flag.Duration("time", time.Minute, "how long the targets have for each mutant, together")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	survivors, err := run(ctx, regexp.MustCompile(*only), *limit)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2)
	}
	if survivors > 0 {
		fmt.Printf("\n%d mutants survived\n", survivors)
		os.Exit(1)
	}
}

// run tries all mutants that match only, prints what killed each, and returns how many survived.
func run(ctx context.Context, only *regexp.Regexp, limit time.Duration) (survivors int, err error) {
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	w, err := newWorkdir(ctx, dir)
	if err != nil {
		return 0, err
	}
	if r, err := w.try(ctx, allTargets, limit); err != nil {
		return 0, err
	} else if r.target != "" {
		return 0, fmt.Errorf("the library itself fails %s: %s", r.target, r.why)
	}
	fmt.Printf("%-52s %-14s %7s  %s\n", "mutant", "killed by", "after", "because")
	for _, m := range mutants {
		if !only.MatchString(m.name) {
			continue
		}
		r, err := w.kill(ctx, m, limit)
		switch {
		case ctx.Err() != nil:
			return survivors, ctx.Err()
		case err != nil:
			survivors++
			r = result{target: "survived", why: err.Error()}
		case r.target == "":
			survivors++
			r = result{target: "survived", after: limit}
		}
		fmt.Printf("%-52s %-14s %6.1fs  %s\n", m.name, r.target, r.after.Seconds(), r.why)
	}
	return survivors, nil
}

// kill puts m into the copy, tries the targets, and restores the file.
func (w *workdir) kill(ctx context.Context, m mutant, limit time.Duration) (result, error) {
	file := filepath.Join(w.dir, filepath.FromSlash(m.file))
	good, err := os.ReadFile(file)
	if err != nil {
		return result{}, err
	}
	if n := strings.Count(string(good), m.old); n != 1 {
		return result{}, fmt.Errorf("%q is in %s %d times, want once: the list of mutants is out of date", m.old, m.file, n)
	}
	bad := strings.Replace(string(good), m.old, m.new, 1)
	if err := os.WriteFile(file, []byte(bad), 0o644); err != nil {
		return result{}, err
	}
	defer os.WriteFile(file, good, 0o644)
	return w.try(ctx, targetsFor(m.file), limit)
}
