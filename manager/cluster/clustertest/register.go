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
	Token uint64 // of the latest write
}

// An Addition is a line of the trace of a worker that adds to a register.
type Addition struct {
	Client   int
	From, To time.Duration
	Before   int  // what it has read
	Refused  bool // the write was, as its token was too small
	ReadOnly bool
}

// registerKey is outside of the prefix of the locks.
func registerKey(prefix string) string { return "/register" + prefix }

// addAll adds to the register, again and again. A client that is inside its read and write says so
// by a line: there the worker can be stopped. It looks at its lock before it reads, and not again
// before it writes, as a program does that was paused between its check and its use.
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
	r, _ := t.register()
	a.Before = r.Sum
	if !readOnly {
		fmt.Println("inside")
		t.pause(time.Duration(rand.IntN(3000))*time.Microsecond, nil)
		a.Refused = !t.write(Register{r.Sum + 1, token})
	}
	a.To = Now()
	return a
}

// register reads the register, and the revision that wrote it.
func (t *traced) register() (r Register, revision int64) {
	resp, err := t.etcd.Get(context.Background(), registerKey(t.work.Prefix))
	if err != nil {
		panic(err)
	}
	if len(resp.Kvs) > 0 {
		if err := json.Unmarshal(resp.Kvs[0].Value, &r); err != nil {
			panic(err)
		}
		revision = resp.Kvs[0].ModRevision
	}
	return r, revision
}

// write writes the register. If it checks tokens, it refuses one that is smaller than that of the
// latest write: then write returns false.
func (t *traced) write(r Register) bool {
	value, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	key := registerKey(t.work.Prefix)
	if !t.work.Fenced {
		if _, err := t.etcd.Put(context.Background(), key, string(value)); err != nil {
			panic(err)
		}
		return true
	}
	for {
		now, revision := t.register()
		if now.Token > r.Token {
			return false
		}
		same := clientv3.Compare(clientv3.ModRevision(key), "=", revision)
		resp, err := t.etcd.Txn(context.Background()).If(same).Then(clientv3.OpPut(key, string(value))).Commit()
		if err != nil {
			panic(err)
		}
		if resp.Succeeded {
			return true
		}
	}
}
