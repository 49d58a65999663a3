package cluster

import "time"

// deadlineOf returns until when a lease counts that was granted or renewed by a message sent at
// that time (C4). etcd counts from a later moment, the arrival of the message. The margin is for
// clocks of different speed. It counts from the sending, and not from the reply: a reply that was
// long under way says nothing about what is left.
func deadlineOf(sent time.Time, ttl time.Duration) time.Time {
	return sent.Add(ttl - margin(ttl))
}

// margin is how long before the end of the lease its session ends.
func margin(ttl time.Duration) time.Duration { return max(ttl/10, 200*time.Millisecond) }

// left returns how much time is left until a deadline, by that of two clocks which says less; 0 or
// less if it has passed. The monotonic clock of a machine stands still while the machine is
// suspended, and etcd's goes on: so the time of day counts, too. If it is set forward, a session
// may be lost too early.
func left(deadline, now time.Time) time.Duration {
	return min(deadline.Sub(now), deadline.Round(0).Sub(now.Round(0)))
}

// A renewal is what the renewal of a lease has shown.
type renewal struct {
	sent     time.Time     // when it was sent
	ttl      time.Duration // that etcd has granted
	first    int64         // the last transaction that was known to be applied, before
	known    int64         // the latest revision that was known, before
	control  int64         // the number in the control key, read after that; -1 if there is none
	sameTerm bool          // the renewal and the read were answered in one term of the leader
	revision int64         // of the read
	cluster  uint64        // that has answered it
}

// renewed extends the deadline of the session by a renewal, if it counts. It returns false if the
// lease must be renewed again at once.
//
// A renewal counts only with a read after it that finds the control key, in the same term: a leader
// that was deposed, and does not know it yet, may answer renewals that the new leader never hears
// of. The number must be one that this session has written, and the revision not earlier than one
// that was known: otherwise etcd was restored.
//
// It does not count either while the mirror is behind the log for longer than a lease. So a process
// that hears nothing of the log any more, as of a revocation, loses its session.
func (l *log) renewed(s *session, r renewal) bool {
	if l.session != s {
		return true
	}
	last := s.applied
	if s.sent {
		last++
	}
	switch {
	case r.control < 0:
		l.lose(errGone)
	case r.control < r.first || r.control > last || r.revision < r.known:
		l.lose(errRestored)
	case !r.sameTerm:
		return false
	default:
		l.trouble = nil
		l.newest = max(l.newest, r.revision)
		if l.revision >= s.bound {
			s.bound, s.boundSet = r.revision, r.sent
		}
		if r.sent.Sub(s.boundSet) <= r.ttl {
			s.deadline = deadlineOf(r.sent, r.ttl)
		}
	}
	return true
}
