package child

import "time"

// Left returns how much time is left until a deadline, by that of two clocks which says less; 0 or
// less if it has passed. The monotonic clock of a machine stands still while the machine is
// suspended, and etcd's goes on: so the time of day counts, too.
func Left(deadline, now time.Time) time.Duration {
	return min(deadline.Sub(now), deadline.Round(0).Sub(now.Round(0)))
}

// Due is what must be done with the group.
type Due int

// What is due.
const (
	Nothing   Due = iota
	Terminate     // ask the processes to end
	Kill          // end them
)

// killAgain is when a group is killed again that is still there.
const killAgain = 100 * time.Millisecond

// An Ending decides when the group of a command must end. It has no clock of its own. An ending
// that has begun goes on, even if the lease is renewed after all: the command was told to end.
type Ending struct {
	Grace time.Duration // between Terminate and Kill

	begun bool
	kill  time.Time
}

// Begun reports whether the group was told to end.
func (e *Ending) Begun() bool { return e.begun }

// Begin lets the group end for another reason than the lock. The caller must do what is due, which
// is Terminate.
func (e *Ending) Begin(now time.Time) { e.begun, e.kill = true, now.Add(e.Grace) }

// Due returns what is due now, and after which time to ask again at the latest. The deadline is the
// latest one that was known while the lock was held; lost says that it is not held any more.
//
// The group is told to end when the grace is left of the deadline, or at once if the lock is lost,
// as by a revocation. It is killed at the deadline, or after the grace if that is earlier.
func (e *Ending) Due(now, deadline time.Time, lost bool) (due Due, again time.Duration) {
	if e.begun {
		if left := Left(e.kill, now); left > 0 {
			return Nothing, left
		}
		return Kill, killAgain
	}
	left := Left(deadline, now)
	switch {
	case left <= 0:
		e.begun, e.kill = true, now
		return Kill, killAgain
	case lost, left < e.Grace:
		left = min(left, e.Grace)
		e.begun, e.kill = true, now.Add(left)
		return Terminate, left
	}
	return Nothing, left - e.Grace
}
