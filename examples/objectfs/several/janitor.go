package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// roleEnv has the role of a process that was started by this program: worker, or janitor with its
// folder in the argument.
const roleEnv = "TREELOCK_OBJECTFS_ROLE"

const (
	roleWorker  = "worker"
	roleJanitor = "janitor"
)

// leaveTime is how long the workers of a parent that has crashed may take to end.
const leaveTime = 10 * time.Second

// A janitor removes the folder of the parent when the parent has ended, even by a crash. It is a
// process, which learns of the end of the parent by that of its standard input.
type janitor struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
}

func startJanitor(dir string) (*janitor, error) {
	cmd, err := child(roleJanitor, dir)
	if err != nil {
		return nil, err
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return &janitor{cmd, stdin}, cmd.Start()
}

// watch tells the janitor of a worker.
func (j *janitor) watch(p *os.Process) { fmt.Fprintln(j.stdin, p.Pid) }

// end lets the janitor do its work. All workers must have ended.
func (j *janitor) end() error {
	fmt.Fprintln(j.stdin, 0)
	j.stdin.Close()
	return j.cmd.Wait()
}

// tidy is the janitor process. A worker that was stopped goes on, so that it sees the end of the
// parent.
func tidy(dir string) error {
	var workers []*os.Process
	crashed := true
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var pid int
		fmt.Sscan(lines.Text(), &pid)
		if pid == 0 {
			crashed = false
		} else if p, err := os.FindProcess(pid); err == nil {
			workers = append(workers, p)
		}
	}
	if !crashed {
		return os.RemoveAll(dir)
	}
	for _, p := range workers {
		resume(p)
	}
	for end := time.Now().Add(leaveTime); len(workers) > 0 && time.Now().Before(end); {
		if lives(workers[0]) {
			time.Sleep(50 * time.Millisecond)
		} else {
			workers = workers[1:]
		}
	}
	// The etcd server, which also ends with the parent, may write a little longer.
	var err error
	for gone := 0; gone < 5; gone++ {
		if _, missing := os.Stat(dir); missing == nil {
			gone = 0
		}
		err = os.RemoveAll(dir)
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

// child returns a process of this program with a role.
func child(role string, args ...string) (*exec.Cmd, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	cmd.Stderr = os.Stderr
	return cmd, nil
}
