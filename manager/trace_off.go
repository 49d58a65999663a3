//go:build !race && !treelock_audit

package manager

import "github.com/treelock/treelock"

// A tracer does nothing in this build: see trace_on.go.
type tracer[N treelock.Node[N]] struct{}

func newTracer[N treelock.Node[N]](*Manager[N]) (none tracer[N]) { return none }

func (tracer[N]) begin(message[N])              {}
func (tracer[N]) arrived(uint64)                {}
func (tracer[N]) granted(grant[N])              {}
func (tracer[N]) ended(uint64)                  {}
func (tracer[N]) failed(uint64, error)          {}
func (tracer[N]) refused(error)                 {}
func (tracer[N]) under(uint64, []treelock.Hold) {}
func (tracer[N]) probed()                       {}
func (tracer[N]) finish(*loop[N])               {}
