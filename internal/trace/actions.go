package trace

import (
	"os"
	"sync/atomic"
)

// An Action is a step of the model, by what it leads to.
type Action uint8

const (
	AcquireGranted Action = iota
	AcquireWaits
	AcquireConflict
	AcquireBusy
	AcquireDraining
	AcquireDeadlock
	QueueTooLong
	RefusedSuspended
	InsideGranted
	InsideWaits
	InsideNotHeld
	InsideReleased
	InsideLost
	ReleaseHeld
	ReleaseOver
	ReleaseFailsInside
	ReleaseFailsWidening
	ReleaseAroundGrants
	ReleaseLastInside
	CancelWaiting
	CancelGranted
	CancelOver
	CancelWidening
	CancelWidened
	WithdrawWaiting
	WithdrawGranted
	WithdrawReceived
	NarrowHeld
	NarrowNotHeld
	NarrowOver
	NarrowWidening
	NarrowAroundInside
	WidenAtOnce
	WidenWaits
	WidenNothing
	WidenConflict
	WidenBusy
	WidenDeadlock
	WidenWidening
	WidenReleased
	WidenInsideNotHeld
	WidenTooWide
	RevokeWaiting
	RevokeHeld
	RevokeInside
	RevokeReleased
	RevokeOver
	WaitUnderGrants
	WaitDeadlock
	GrantAfterEnd
	GrantAfterNarrow
	WidenedAfterEnd
	CheckFree
	CheckConflict
	CheckDraining
	DrainLive
	Drained
	StopWaiting
	StopIdle
	numActions
)

var actionNames = [numActions]string{
	"acquire: granted at once",
	"acquire: waits",
	"acquire: refused, conflict",
	"acquire: refused, busy",
	"acquire: refused, draining",
	"acquire: refused, deadlock",
	"acquire or widen: refused, a queue is too long",
	"acquire, widen or check: refused, suspended",
	"acquire inside a grant: granted at once",
	"acquire inside a grant: waits",
	"acquire inside a grant: refused, not held",
	"acquire inside a grant: refused, released",
	"acquire inside a grant: refused, lost",
	"release: of a grant",
	"release: of one that is over",
	"release: fails the requests that wait inside",
	"release: fails the widening that waits",
	"release: of a grant that lives on for grants inside it",
	"release: of the last grant inside one that was released",
	"cancel: of a request that waits",
	"cancel: of a request that was granted",
	"cancel: of a request that is over",
	"cancel: of a widening that waits",
	"cancel: of a widening that was granted or is over",
	"withdraw: of a request that waits",
	"withdraw: of a grant that was not received",
	"withdraw: of a grant that was received, or one that is over",
	"narrow: done",
	"narrow: refused, not held",
	"narrow: refused, over",
	"narrow: refused, a widening waits",
	"narrow: refused, a request is inside",
	"widen: granted at once",
	"widen: waits",
	"widen: holds it already",
	"widen: refused, conflict",
	"widen: refused, busy",
	"widen: refused, deadlock",
	"widen: refused, a widening waits",
	"widen: refused, over",
	"widen: refused, outside of the grant around it",
	"widen: refused, too wide",
	"revoke: of a request that waits",
	"revoke: of a grant",
	"revoke: takes requests inside along",
	"revoke: of a grant that was released",
	"revoke: of one that is over",
	"wait for a ticket while holding: waits",
	"wait for a ticket while holding: refused, deadlock",
	"grant after an end",
	"grant after a narrowing",
	"widening granted after a wait",
	"check: free",
	"check: refused, conflict",
	"check: refused, draining",
	"drain: while requests are live",
	"drain: done",
	"stop: while requests wait",
	"stop: while none waits",
}

func (a Action) String() string { return actionNames[a] }

// Actions returns all actions.
func Actions() (all []Action) {
	for a := range numActions {
		all = append(all, a)
	}
	return all
}

// File is the environment variable that names the file for the actions that a process has seen. It
// gets one line for each, at the first time.
const File = "TREELOCK_ACTIONS"

// seen has a bit for each action that this process has seen.
var seen atomic.Uint64

// saw notes that an action was seen.
func saw(a Action) {
	bit := uint64(1) << a
	if seen.Load()&bit != 0 || seen.Or(bit)&bit != 0 {
		return
	}
	name := os.Getenv(File)
	if name == "" {
		return
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err == nil {
		_, err = f.WriteString(a.String() + "\n")
		f.Close()
	}
	if err != nil {
		panic("BUG: treelock: " + File + ": " + err.Error())
	}
}

// Seen reports whether this process has seen an action.
func Seen(a Action) bool { return seen.Load()&(1<<a) != 0 }
