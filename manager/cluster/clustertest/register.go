//go:build unix

package clustertest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/treelock/treelock"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A Register is a number in etcd that workers add to: they read it, compute for a while, and write
// it back. The lock is to exclude others meanwhile.
type Register struct {
	Sum   int
	Token uint64 // of the latest access
}

// An Addition is a line of the trace of a worker that adds to a register.
type Addition struct {
	Client   int
	From, To time.Duration
	Before   int  // what it has read
	Refused  bool // an access was, as its token was too small: then nothing was added
	ReadOnly bool
}

// RegisterKey returns the key of the register for a prefix of locks. It is outside of the prefix.
func RegisterKey(prefix string) string { return "/register" + prefix }

// addAll adds to the register, again and again. A client that computes for long says so by a line
// between its read and its write: there the worker can be stopped. It looks at its lock before it
// reads, and not again before it writes, as a program does that was paused between its check and
// its use.
func (t *traced) addAll() {
	for !t.stopped() {
		g, err := t.Acquire(context.Background(), treelock.Write("/register"))
		if err != nil {
			continue
		}
		if g.Err() == nil {
			line, err := json.Marshal(t.add(g.Token(), rand.IntN(4) == 0))
			if err != nil {
				panic(err)
			}
			t.file.Write(append(line, '\n'))
		}
		g.Release()
	}
}

// add adds one to the register, or only reads it.
func (t *traced) add(token uint64, readOnly bool) Addition {
	a := Addition{Client: t.client, From: Now(), ReadOnly: readOnly}
	read := func(sum int) int { return sum }
	var ok bool
	if a.Before, ok = t.access(token, read); !ok {
		a.Refused = true
	} else if !readOnly {
		compute := time.Duration(rand.IntN(3000)) * time.Microsecond
		if rand.IntN(8) == 0 {
			fmt.Println("inside")
			compute = 40 * time.Millisecond // a stop on a busy machine takes a while to arrive
		}
		t.pause(compute, nil)
		_, ok = t.access(token, func(int) int { return a.Before + 1 })
		a.Refused = !ok
	}
	a.To = Now()
	return a
}

// access replaces the sum in the register. If the register checks tokens, it refuses one that is
// smaller than that of an earlier access: then ok is false. A read counts as an access. Otherwise
// an older holder could write between the read and the write of a later one.
func (t *traced) access(token uint64, f func(sum int) int) (before int, ok bool) {
	ctx, key := context.Background(), RegisterKey(t.work.Prefix)
	for {
		var r Register
		got, err := t.etcd.Get(ctx, key)
		if err != nil {
			panic(err)
		}
		revision := int64(0)
		if len(got.Kvs) > 0 {
			if err := json.Unmarshal(got.Kvs[0].Value, &r); err != nil {
				panic(err)
			}
			revision = got.Kvs[0].ModRevision
		}
		if t.work.Fenced && r.Token > token {
			return 0, false
		}
		value, err := json.Marshal(Register{f(r.Sum), token})
		if err != nil {
			panic(err)
		}
		txn := t.etcd.Txn(ctx)
		if t.work.Fenced {
			txn = txn.If(clientv3.Compare(clientv3.ModRevision(key), "=", revision))
		}
		if f(r.Sum) == r.Sum && !t.work.Fenced {
			return r.Sum, true
		}
		resp, err := txn.Then(clientv3.OpPut(key, string(value))).Commit()
		if err != nil {
			panic(err)
		}
		if resp.Succeeded {
			return r.Sum, true
		}
	}
}
