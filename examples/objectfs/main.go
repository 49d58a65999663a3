// Command objectfs shows treelock at work on an object store in memory, which has no operation on
// whole folders: many clients rename, copy, read, overwrite and delete folders at once, and at the
// end every folder is compared with what it must hold.
//
//	go run ./examples/objectfs
//	go run ./examples/objectfs -load DIR                # not the Go source of package net
//	go run ./examples/objectfs -locks=none              # the damage without locks
//	go run ./examples/objectfs -compare -latency 20ms   # each kind of locks, as if far away
//	go run ./examples/objectfs -latency 20ms -ops 20000 -http localhost:8080
//
// Package command has the exit codes. Command bucket, below, does the same in a bucket of S3.
package main

import (
	"context"
	"os"

	"github.com/treelock/treelock/examples/objectfs/command"
	"github.com/treelock/treelock/examples/objectfs/store"
)

func main() {
	ctx := command.Interruptible(context.Background())
	os.Exit(command.Run(ctx, store.NewMemory(), os.Args[1:], os.Stdout, os.Stderr))
}
