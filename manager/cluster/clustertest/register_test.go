//go:build unix

package clustertest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/treelock/treelock/manager/cluster/clustertest"
)

// runRegister lets workers add to a register, one of which is stopped in the middle for longer than
// its lease, and returns what they did.
func runRegister(t *testing.T, fenced bool) (ops []porcupine.Operation, refused int) {
	prefix := "/" + t.Name()
	register := clustertest.RegisterKey(prefix) // may be left by an earlier run
	if _, err := client(t).Delete(background, register); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var workers []*clustertest.Worker
	for i := range testWorkers {
		name := fmt.Sprintf("worker-%d", i)
		w, err := clustertest.StartWorker(clustertest.Work{
			Endpoints: clustertest.Endpoints(shared), Prefix: prefix, Name: name, TTL: testTTL, Clients: 2,
			Trace: filepath.Join(dir, name), Register: true, Fenced: fenced,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Kill)
		workers = append(workers, w)
	}
	rounds := 1
	if long() {
		rounds = 10
	}
	for i := range rounds {
		stopInside(t, workers[i%len(workers)])
	}
	for i, w := range workers {
		awaitAdditions(t, w, 5) // and those of which it tells nothing: 35, or so
		if err := w.End(); err != nil {
			t.Fatal(err)
		}
		for _, a := range additions(t, w.Trace) {
			if a.Refused {
				refused++
				continue
			}
			ops = append(ops, porcupine.Operation{
				ClientId: 2*i + a.Client, Input: a.ReadOnly, Output: a.Before, Call: int64(a.From), Return: int64(a.To),
			})
		}
	}
	awaitEmpty(t, client(t), prefix)
	return ops, refused
}

// stopInside stops a worker between its read and its write, until others have written.
func stopInside(t *testing.T, w *clustertest.Worker) {
	t.Helper()
	awaitAdditions(t, w, 1)
	w.Stop()
	time.Sleep(2 * testTTL)
	w.Continue()
}

// awaitAdditions waits until a worker has told of n more additions.
func awaitAdditions(t *testing.T, w *clustertest.Worker, n int) {
	t.Helper()
	for drained := false; !drained; { // what it printed before says nothing about now
		select {
		case <-w.Lines:
		default:
			drained = true
		}
	}
	for range n {
		wait(t, w.Lines, w.Name+" adds")
	}
}

// additions returns what a worker did.
func additions(t testing.TB, file string) (all []clustertest.Addition) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var a clustertest.Addition
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	return all
}

// linearizable reports whether there is an order of the operations that explains what they read.
func linearizable(t *testing.T, ops []porcupine.Operation) bool {
	t.Helper()
	model := porcupine.Model{
		Init: func() any { return 0 },
		Step: func(state, readOnly, before any) (bool, any) {
			if state != before {
				return false, state
			}
			if readOnly.(bool) {
				return true, state
			}
			return true, state.(int) + 1
		},
	}
	if len(ops) < 100 {
		t.Fatalf("%d operations are too few", len(ops))
	}
	result := porcupine.CheckOperationsTimeout(model, ops, 20*time.Second)
	t.Logf("%d operations: %v", len(ops), result)
	if result == porcupine.Unknown {
		t.Fatal("the checker takes too long")
	}
	return result == porcupine.Ok
}

// No lock excludes a process that was stopped between its check and its write. What the store
// refuses by the token does no harm.
func TestRegisterThatChecksTokensIsLinearizable(t *testing.T) {
	t.Parallel()
	ops, refused := runRegister(t, true)
	if !linearizable(t, ops) {
		t.Error("writes were lost, although the register checks tokens")
	}
	if refused == 0 {
		t.Error("no write was refused, so this shows nothing: the worker was not stopped in the middle")
	}
}

func TestRegisterThatChecksNoTokensIsNot(t *testing.T) {
	t.Parallel()
	ops, _ := runRegister(t, false)
	if linearizable(t, ops) {
		t.Error("no write was lost without tokens: the checker, or the fault, is of no use")
	}
}
