package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// A plan says what to measure and how often.
type plan struct {
	count, cpu       uint
	benchtime, bench string
	suite            suite
}

// A suite is what is measured and drawn together.
type suite struct {
	flag, file string   // how to ask for it, and where its table is
	packages   []string // of benchmarks, in the repository
	bench      string   // the benchmarks of the table and the plots, as in go test
	table      func(figures) []byte
	charts     []chart
}

var inProcess = suite{"", "speed.md", []string{"manager/bench", "examples/speed"}, shown, processTable, processCharts()}

// shown matches the benchmarks of the locks in one process.
const shown = `Lock/impl=(batch-echo|echo|rwmutex|x-semaphore)$|` +
	`Lock/impl=(treelock|rwmutex-map)/op/nodes/depth=(4|16)$|` +
	`Live/impl/op/depth/leaves=1000$|Waiters/impl/waiters/where=here|Neighbours|HandOver|Drain|Memory`

// measure compiles and runs the benchmarks, and copies what they print to a file and to stderr.
func (p plan) measure(ctx context.Context, file string, stderr io.Writer) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "speed-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	fmt.Fprintln(stderr, "compiling the benchmarks")
	const module = "github.com/treelock/treelock"
	args := []string{"test", "-c", "-o", temp + string(filepath.Separator)}
	for _, p := range p.suite.packages {
		args = append(args, module+"/"+p)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	// The go command ends its children.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot compile the benchmarks; start this in treelock's repository: %w\n%s", err, bytes.TrimSpace(out))
	}
	binaries, err := filepath.Glob(filepath.Join(temp, "*.test*")) // on Windows they end in .exe
	if err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	fmt.Fprintf(out, "command: go run ./examples/speed%s -count %d -cpu %d -benchtime %s\n", p.suite.flag, p.count, p.cpu, p.benchtime)
	fmt.Fprintf(out, "date: %s\ngo: %s\n", time.Now().UTC().Format(time.DateOnly), runtime.Version())
	both, start := io.MultiWriter(out, stderr), time.Now()
	for round := range p.count {
		fmt.Fprintf(stderr, "round %d of %d%s\n", round+1, p.count, progress(time.Since(start), round, p.count))
		for _, binary := range binaries {
			// Without the go command, an interrupt has one process to end.
			cmd := exec.CommandContext(ctx, binary, "-test.run=-", "-test.bench="+p.bench,
				"-test.benchtime="+p.benchtime, fmt.Sprint("-test.cpu=", p.cpu))
			var other bytes.Buffer // would tear the lines of the results
			cmd.Stdout, cmd.Stderr = both, &other
			err := cmd.Run()
			fmt.Fprintf(stderr, "%s", &other)
			if err != nil {
				return fmt.Errorf("round %d of %d: the benchmarks failed: %w", round+1, p.count, err)
			}
		}
	}
	return nil
}

// progress says how long some rounds took, and how long the others will take.
func progress(took time.Duration, done, all uint) string {
	if done == 0 {
		return ""
	}
	left := took / time.Duration(done) * time.Duration(all-done)
	return fmt.Sprintf(", after %v, %v to go", took.Round(time.Second), left.Round(time.Second))
}
