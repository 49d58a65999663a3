package child

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// A Child is a command that was started, in a job object.
type Child struct {
	job     windows.Handle
	process *os.Process
	events  chan Event // from the goroutine that waits; it is never closed and has room for all
}

// Start starts a command in a job object, and returns once it runs. The system ends the processes
// of the job when this process ends. An error of the command itself is an [exec.Error]; that of
// c.Begin is returned as it is.
func Start(c Command) (*Child, error) {
	job, err := newJob()
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{Path: c.Path, Args: c.Args, Env: c.Env, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	// The command is suspended until it is in the job, so that no child of it is outside.
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_SUSPENDED | windows.CREATE_NEW_PROCESS_GROUP}
	if err := cmd.Start(); err != nil {
		windows.CloseHandle(job)
		return nil, &exec.Error{Name: c.Args[0], Err: err}
	}
	err = assign(job, cmd.Process.Pid)
	if err == nil {
		_, err = c.mayBegin()
	}
	if err == nil {
		err = resume(cmd.Process.Pid)
	}
	if err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		windows.CloseHandle(job)
		return nil, err
	}
	child := &Child{job: job, process: cmd.Process, events: make(chan Event, 2)}
	go child.wait()
	return child, nil
}

// newJob returns a job object that ends its processes when its handle is closed.
func newJob() (windows.Handle, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, os.NewSyscallError("CreateJobObject", err)
	}
	var limits windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err != nil {
		windows.CloseHandle(job)
		return 0, os.NewSyscallError("SetInformationJobObject", err)
	}
	return job, nil
}

func assign(job windows.Handle, pid int) error {
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(pid))
	if err != nil {
		return os.NewSyscallError("OpenProcess", err)
	}
	defer windows.CloseHandle(process)
	return os.NewSyscallError("AssignProcessToJobObject", windows.AssignProcessToJobObject(job, process))
}

// resume lets the threads of a process run.
func resume(pid int) error {
	threads, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return os.NewSyscallError("CreateToolhelp32Snapshot", err)
	}
	defer windows.CloseHandle(threads)
	entry := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	for err = windows.Thread32First(threads, &entry); err == nil; err = windows.Thread32Next(threads, &entry) {
		if entry.OwnerProcessID != uint32(pid) {
			continue
		}
		thread, err := windows.OpenThread(windows.THREAD_SUSPEND_RESUME, false, entry.ThreadID)
		if err != nil {
			return os.NewSyscallError("OpenThread", err)
		}
		_, err = windows.ResumeThread(thread)
		windows.CloseHandle(thread)
		if err != nil {
			return os.NewSyscallError("ResumeThread", err)
		}
	}
	return nil
}

// Events returns the channel of what happens to the command.
func (c *Child) Events() <-chan Event { return c.events }

// Deadline does nothing: no process watches for one that was suspended.
func (c *Child) Deadline(time.Time) error { return nil }

// Forward sends CTRL_BREAK to the group of the command.
func (c *Child) Forward(os.Signal) {
	windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(c.process.Pid))
}

// Terminate asks the processes of the group to end.
func (c *Child) Terminate() { c.Forward(nil) }

// Kill ends all processes of the job.
func (c *Child) Kill() { windows.TerminateJobObject(c.job, 1) }

// Suspend does nothing: no command is stopped.
func (c *Child) Suspend(os.Signal) bool { return false }

// InForeground reports that nothing may be drawn: there is no job control.
func InForeground(int) bool { return false }

// Foreground does nothing: all processes of a console may read from it.
func (c *Child) Foreground() {}

// Restore does nothing: the modes of a console are not those of one group.
func (c *Child) Restore() {}

// Continue does nothing: no command is stopped.
func (c *Child) Continue() {}

// Close closes the job. Its processes must be gone.
func (c *Child) Close(os.Signal) { windows.CloseHandle(c.job) }

// wait sends the events of the command.
func (c *Child) wait() {
	status := 1
	if state, err := c.process.Wait(); err == nil {
		status = state.ExitCode()
	}
	c.events <- Event{Kind: Ended, Status: status}
	for pause := time.Millisecond; c.processes() > 0; pause = min(2*pause, 50*time.Millisecond) {
		time.Sleep(pause)
	}
	c.events <- Event{Kind: Gone}
}

// accounting is JOBOBJECT_BASIC_ACCOUNTING_INFORMATION of Windows.
type accounting struct {
	TotalUserTime, TotalKernelTime, ThisPeriodTotalUserTime, ThisPeriodTotalKernelTime int64
	TotalPageFaultCount, TotalProcesses, ActiveProcesses, TotalTerminatedProcesses     uint32
}

// processes returns how many processes the job has. If the system does not say, it has one.
func (c *Child) processes() int {
	var info accounting
	err := windows.QueryInformationJobObject(c.job, windows.JobObjectBasicAccountingInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)), nil)
	if err != nil {
		return 1
	}
	return int(info.ActiveProcesses)
}

// Signals returns those that end a wait, and that the command gets as CTRL_BREAK.
func Signals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// Continue returns the signals that continue a process that was stopped: there are none.
func Continue() []os.Signal { return nil }

// Number returns the number of a signal.
func Number(s os.Signal) int {
	number, _ := s.(syscall.Signal)
	return int(number)
}

// Guardian is not needed.
func Guardian() error { return errors.ErrUnsupported }

// Stub is not needed.
func Stub([]string) error { return errors.ErrUnsupported }
