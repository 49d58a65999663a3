package manager

import (
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/treelock/treelock"
)

// A requestMeta is what people want to know of a request besides its claims. Most requests have
// none, so a live request has room for a pointer only. It is immutable once it is made: the manager
// goroutine, surveys and errors share it.
type requestMeta struct {
	label   string
	tag     any    // not looked at
	process string // of the request of another process; "" for this one
	queue   int    // its limit on waiters at a node; negative if there is none
	older   bool   // it is older than client.since says, see RequestInfo.Older

	// stack is that of the call that made the request, and empty without SlowLog.Sites. Only a
	// report makes a text of it, since that costs more than the request.
	stack []uintptr
}

// newMeta returns what is kept of req. It runs on the goroutine of the client that made the
// request, as its stack is the site. callers skips the frame of newMeta.
func (m *Manager[N]) newMeta(req *treelock.Request[N]) *requestMeta {
	meta := &requestMeta{label: req.Label(), tag: req.Tag(), queue: req.QueueLimit()}
	if m.slow.Sites {
		meta.stack = callers()
	}
	return meta
}

// labelOf returns the label, or "" if there is none.
func (r *requestMeta) labelOf() string {
	if r == nil {
		return ""
	}
	return r.label
}

// processOf returns the name of the process that has made the request, "" for this one.
func (r *requestMeta) processOf() string {
	if r == nil {
		return ""
	}
	return r.process
}

// granted returns what is known of a request of another process that has been granted just now.
func (r *requestMeta) granted() *requestMeta {
	if !r.older {
		return r
	}
	known := *r
	known.older = false
	return &known
}

// isOlder returns [RequestInfo.Older].
func (r *requestMeta) isOlder() bool { return r != nil && r.older }

// ageOf returns how long a request has held or waited that has done so since an instant, and a
// negative time if that is not known.
func (r *requestMeta) ageOf(now, since instant) time.Duration {
	if r.isOlder() {
		return -1
	}
	return now.since(since)
}

// tagOf returns the tag, or nil if there is none.
func (r *requestMeta) tagOf() any {
	if r == nil {
		return nil
	}
	return r.tag
}

// crowded reports whether the limit of the request, which waits as r, is exceeded at one of its
// nodes. r is in the queues by then and counts as well: see Crowded.
func crowded[N treelock.Node[N]](meta *requestMeta, r *request[N]) bool {
	return meta != nil && meta.queue >= 0 && r.Crowded(meta.queue)
}

// site returns the function, file and line that made the request, outside of this package and
// package treelock, or "" without a stack.
func (r *requestMeta) site() string {
	if r == nil || len(r.stack) == 0 {
		return ""
	}
	frames, site := runtime.CallersFrames(r.stack), ""
	for {
		frame, more := frames.Next()
		// A goroutine may have been started with a method of this package: then that is the site.
		if frame.Function != "runtime.goexit" {
			site = frame.Function + " (" + frame.File + ":" + strconv.Itoa(frame.Line) + ")"
		}
		if !more || !ours(frame.Function) {
			return site
		}
	}
}

// ours reports whether a function belongs to this package or to package treelock.
func ours(function string) bool {
	const root = "github.com/treelock/treelock"
	return strings.HasPrefix(function, root+".") || strings.HasPrefix(function, root+"/manager.")
}

// callers returns as many inner frames of the stack as are needed to find one that is not ours.
// Below Manager.Do there are the most of ours: five.
func callers() []uintptr {
	var pcs [8]uintptr
	n := runtime.Callers(3, pcs[:])
	return append([]uintptr(nil), pcs[:n]...)
}
