// Package child starts the command of treelock run, and ends it with all processes of its group.
//
// # Terminology
//
//   - The group is the process group of the command. It has the number of the command's process.
//   - The stub is the process that becomes the command. It is treelock, started in the group, and
//     executes the command when it is told to.
//   - The guardian is a process of treelock beside the command. It kills the group if run ends
//     before the group, or does not move the deadline.
//   - The deadline is until when the lock counts, as far as it is known.
//
// # Processes
//
//	run  ---- starts ---->  stub, which becomes the command ----> its children, in its group
//	  |                                                                ^
//	  +---- starts ------>  guardian, in a session of its own          |
//	  |                        ^ |        +---- SIGKILL to the group --+
//	  +-- messages by a pipe --+ |
//	  ^                          |
//	  +-- a byte: it watches ----+
//
// # Invariants
//
//   - P1 The command begins only after a guardian watches that was told its group and the latest
//     deadline: the stub waits for that. If run is killed before, the stub ends. If the lock is
//     lost before, the command does not begin.
//   - P2 The guardian kills the group when the pipe ends, and when the last deadline that it was
//     told has passed. Run ends the guardian before the pipe when the group is gone.
//   - P3 Gone is sent when no process is left in the group, and not before.
//
// On Windows a job object takes the place of the group and of the guardian: the system ends the
// processes of a job when its last handle is closed, which is that of run.
package child
