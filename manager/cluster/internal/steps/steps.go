// Package steps lets a test see what a manager of package cluster applies and answers. A program
// that uses the lock has no way to it, and without it a step costs a comparison with nil.
package steps

import (
	"context"

	"github.com/treelock/treelock"
)

// A Step is one thing that a manager did. Steps are told in order, on the manager goroutine.
type Step struct {
	Kind     string `json:"kind"`
	Session  int64  `json:"session,omitempty"`  // of Began and Fenced
	Revision int64  `json:"revision,omitempty"` // of Listed and Applied
	Label    string `json:"label,omitempty"`    // of the request, as its Token
	Token    uint64 `json:"token,omitempty"`    // 0 if the request has no place yet

	// Claims are what a narrowed request holds now.
	Claims []treelock.Claim[treelock.Path] `json:"claims,omitempty"`
}

// The kinds of steps.
const (
	Began    = "began"    // a session
	Listed   = "listed"   // a list is applied; what that leads to follows
	Applied  = "applied"  // the events of a revision; likewise
	Placed   = "placed"   // a request of this process has arrived at its place
	Granted  = "granted"  // a request of this process; told before the next step that ends or applies
	Narrowed = "narrowed" // a request of this process
	Ended    = "ended"    // a request of this process was released, withdrawn or refused
	Fenced   = "fenced"   // another session, which has written a bad value
	Lost     = "lost"     // the session, with all requests of this process
	Stopped  = "stopped"  // the manager
)

type key struct{}

// NewContext returns a context for cluster.Start, whose manager tells f its steps. f must not wait.
func NewContext(ctx context.Context, f func(Step)) context.Context {
	return context.WithValue(ctx, key{}, f)
}

// FromContext returns the function of NewContext, nil if there is none.
func FromContext(ctx context.Context) func(Step) {
	f, _ := ctx.Value(key{}).(func(Step))
	return f
}
