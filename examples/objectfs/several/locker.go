package main

import (
	"context"
	"strings"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/objectfs/folder"
	"github.com/treelock/treelock/examples/objectfs/lock"
)

// A locker grants requests by locks, and tells the store of each. An operation that another process
// has left half done is taken over before a request for its folders is granted.
type locker struct {
	locks  treelock.Locker[treelock.Path]
	remote *remote
	inside bool
}

// Lock is that of [lock.Locker].
func (l *locker) Lock(ctx context.Context, req lock.Request) (lock.Held, error) {
	start, waited := time.Now(), time.Duration(0)
	for {
		grant, err := l.locks.Acquire(ctx, req)
		if err != nil {
			return nil, err
		}
		if waited == 0 {
			waited = time.Since(start)
		}
		begin := Begin{Token: grant.Token(), Label: req.Label(), Inside: l.inside, Waited: waited}
		for c := range req.Claims() {
			begin.Claims = append(begin.Claims, Claim{keyOf(c.Node), c.Access == treelock.Exclusive})
		}
		reply, err := l.remote.ask("Begin", begin)
		if err == nil && len(reply.Left) == 0 {
			return &held{locker: l, grant: grant, by: By{reply.Op, grant.Token()}}, nil
		}
		grant.Release() // what is to be taken over may be more than it holds
		for _, left := range reply.Left {
			if err == nil {
				err = l.takeOver(ctx, left)
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

// keyOf is the reverse of [folder.Path] for the keys of the job, which need no escapes.
func keyOf(p treelock.Path) string { return strings.TrimPrefix(string(p), "/") }

// takeOver ends an operation that another process has left half done, as its kind demands.
func (l *locker) takeOver(ctx context.Context, left Left) error {
	req := lock.Request{}.Labeled("take over: " + left.Label)
	begin := Begin{Label: left.Label, Takes: left.Op, Inside: true}
	for _, key := range left.Writes {
		req = req.Write(folder.Path(key))
		begin.Claims = append(begin.Claims, Claim{key, true})
	}
	grant, err := l.locks.Acquire(ctx, req)
	if err != nil {
		return err
	}
	defer grant.Release()
	begin.Token = grant.Token()
	reply, err := l.remote.ask("Begin", begin)
	if err != nil || reply.Op == 0 {
		return err // or another process was faster
	}
	h := &held{locker: l, grant: grant, by: By{reply.Op, begin.Token}}
	if err := repair(h.Context(ctx), l.remote, kindOf(left.Label), left.Writes); err != nil {
		return err
	}
	_, err = l.remote.ask("Repaired", h.by)
	return err
}
