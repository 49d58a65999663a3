package manager

import (
	"runtime"
	"strconv"
	"strings"

	"github.com/treelock/treelock"
)

// A requestMeta is what is known of a request besides its claims, for people. Most requests have none.
type requestMeta struct {
	label string
	stack []uintptr // of the call that made it
}

// newMeta returns the metadata of req.
func (m *Manager[N]) newMeta(req *treelock.Request[N]) *requestMeta {
	n := &requestMeta{label: req.Label()}
	if m.slow.Sites {
		n.stack = callers()
	}
	return n
}

// labelOf returns the label, "" if there is none.
func (n *requestMeta) labelOf() string {
	if n == nil {
		return ""
	}
	return n.label
}

// site returns the function, file and line outside of this package that made the request, or "" if that was not noted.
func (n *requestMeta) site() string {
	if n == nil || len(n.stack) == 0 {
		return ""
	}
	frames, site := runtime.CallersFrames(n.stack), ""
	for {
		frame, more := frames.Next()
		if frame.Function != "runtime.goexit" { // a method of ours may be all that a goroutine does
			site = frame.Function + " (" + frame.File + ":" + strconv.Itoa(frame.Line) + ")"
		}
		if !more || !strings.HasPrefix(frame.Function, pkgPrefix) {
			return site
		}
	}
}

// pkgPrefix is what the names of all functions of this package begin with.
const pkgPrefix = "github.com/treelock/treelock/manager."

// callers returns the innermost frames of the stack, as many as are needed to find one outside of this package.
func callers() []uintptr {
	var pcs [8]uintptr
	n := runtime.Callers(3, pcs[:])
	return append([]uintptr(nil), pcs[:n]...)
}
