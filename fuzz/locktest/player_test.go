package locktest_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/fuzz/locktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// playRandom plays some random histories.
func playRandom(t *testing.T, start locktest.Start[treelock.Path], histories int) {
	for seed := range uint64(histories) {
		rng := rand.New(rand.NewPCG(seed, 1))
		data := make([]byte, rng.IntN(400))
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		locktest.Play(t, start, data)
	}
}

func TestALockThatKeepsTheRulePasses(t *testing.T) { playRandom(t, sound.start, 300) }

// TestALockThatBreaksTheRuleFails plays histories with each faulty lock, in a process of its own,
// where the test must fail.
func TestALockThatBreaksTheRuleFails(t *testing.T) {
	const which = "LOCKTEST_FAULT"
	if fault := fault(os.Getenv(which)); fault != "" {
		playRandom(t, fault.start, 300)
		return
	}
	for fault, want := range map[fault]string{
		excludes:  "I2: ",
		global:    "I2: ",
		overtakes: "I2: ",
		forgets:   "I2: ",
		leaks:     "I2: ",
		lies:      "and has a grant",
		refuses:   "cannot have happened",
		forgives:  "not what its context says",
	} {
		cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), which+"="+string(fault))
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) || !strings.Contains(string(out), "manager\n") {
			t.Errorf("a lock that %s: %v, want a failure with %q and the scenario, got\n%s", fault, err, want, out)
		}
	}
}
