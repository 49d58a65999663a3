package clustertest_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager/cluster/clustertest"
	"github.com/treelock/treelock/manager/cluster/internal/steps"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// put returns the event of a key of a session; an empty value means that it is deleted.
func put(revision, session int64, key, value string) *clientv3.Event {
	kv := &mvccpb.KeyValue{Key: fmt.Appendf(nil, "/p/q/%016x/%s", session, key), Value: []byte(value),
		ModRevision: revision, Lease: session, Version: 1}
	if value == "" {
		return &clientv3.Event{Type: clientv3.EventTypeDelete, Kv: kv}
	}
	return &clientv3.Event{Kv: kv}
}

// batch returns the value of a batch of requests, each of which writes a path of two bytes.
func batch(labelsAndPaths ...string) string {
	b := []byte{1, 1, 'p', byte(len(labelsAndPaths) / 2)}
	for i, text := range labelsAndPaths {
		if i%2 == 1 {
			b = append(b, 1, byte(treelock.Exclusive)) // one claim, of a subtree
		}
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	return string(b)
}

// A run of worker w, with session 1, beside session 2, which ends by a bad value.
func goodRun() (events []*clientv3.Event, run []steps.Step, clients []clustertest.Event) {
	events = []*clientv3.Event{
		put(10, 1, "1/a", batch("w/0/1", "/a", "w/1/1", "/a")),
		put(11, 2, "1/a", batch("v/0/1", "/b")),
		put(12, 1, "2/a", batch("w/2/1", "/b")),
		put(13, 2, "1/a", ""),
		put(14, 1, "1/d", "\x01\x01\x00\x00"), // request 0 has ended
		put(15, 2, "2/a", "bad"),
	}
	run = []steps.Step{
		{Kind: steps.Began, Session: 1}, {Kind: steps.Listed, Revision: 9},
		{Kind: steps.Applied, Revision: 10}, of(steps.Placed, 0, 10, 0), of(steps.Granted, 0, 10, 0), of(steps.Placed, 1, 10, 1),
		{Kind: steps.Applied, Revision: 11},
		{Kind: steps.Applied, Revision: 12}, of(steps.Placed, 2, 12, 0),
		{Kind: steps.Applied, Revision: 13}, of(steps.Granted, 2, 12, 0),
		of(steps.Ended, 0, 10, 0), of(steps.Granted, 1, 10, 1), of(steps.Narrowed, 1, 10, 1),
		{Kind: steps.Applied, Revision: 14}, of(steps.Ended, 1, 10, 1),
		{Kind: steps.Applied, Revision: 15}, {Kind: steps.Fenced, Session: 2},
		of(steps.Ended, 2, 12, 0), {Kind: steps.Stopped},
	}
	clients = []clustertest.Event{{Kind: clustertest.Granted, Client: 2, Number: 1, Token: 12 << 16}}
	return events, run, clients
}

func of(kind string, client int, revision, index uint64) steps.Step {
	return steps.Step{Kind: kind, Label: fmt.Sprintf("w/%d/1", client), Token: revision<<16 | index}
}

// TestModelRefusesAlteredRuns alters a run that the model explains: it must say what is wrong.
func TestModelRefusesAlteredRuns(t *testing.T) {
	type trace = []steps.Step
	without := func(i, n int) func(trace) trace { return func(r trace) trace { return slices.Delete(r, i, i+n) } }
	swap := func(i, j int) func(trace) trace { return func(r trace) trace { r[i], r[j] = r[j], r[i]; return r } }
	insert := func(i int, s ...steps.Step) func(trace) trace {
		return func(r trace) trace { return slices.Insert(r, i, s...) }
	}
	keep := func(r trace) trace { return r }
	for _, c := range []struct {
		name  string
		event *clientv3.Event // in place of the one of its revision
		alter func(trace) trace
		want  string // "": the model explains it
	}{
		{"nothing", nil, keep, ""},
		{"a grant one revision early", nil, swap(9, 10), "step 10 (granted, token 786432 w/2/1) at revision 12: the model does not grant it: it waits for token 720896 (v/0/1)"},
		{"a grant before its own event", nil, swap(2, 4), "step 3 (granted, token 655360 w/0/1) at revision 9: no such request"},
		{"a grant after a revision too many", nil, swap(10, 14), "step 11 (applied, token 0 ) at revision 13: token 786432 (w/2/1) was not answered, expected its grant"},
		{"two grants swapped", nil, swap(4, 12), "token 655361 w/1/1) at revision 10: placed before is false"},
		{"a grant before a release of its process", nil, swap(11, 12), "it waits for token 655360 (w/0/1)"},
		{"a grant twice", nil, insert(11, of(steps.Granted, 2, 12, 0)), "granted twice"},
		{"a wrong token", nil, func(r trace) trace { r[4].Token++; return r }, "step 5 (granted, token 655361 w/0/1) at revision 10: no such request"},
		{"a missing release", nil, without(18, 1), "step 19 (stopped, token 0 ) at revision 15: token 786432 (w/2/1) was never ended"},
		{"a missing release before a grant", nil, without(11, 1), "step 12 (granted, token 655361 w/1/1) at revision 13: the model does not grant it"},
		{"a release twice", nil, insert(12, of(steps.Ended, 0, 10, 0)), "the request has ended"},
		{"a narrowing of a waiter", nil, insert(6, of(steps.Narrowed, 1, 10, 1)), "the request is not granted"},
		{"an unanswered request", nil, func(r trace) trace { return slices.Delete(slices.Delete(r, 10, 11), 8, 9) }, "token 786432 (w/2/1) was not answered, expected its arrival"},
		{"an ungranted request", nil, without(10, 1), "token 786432 (w/2/1) was not answered, expected its grant"},
		{"a skipped revision", nil, without(6, 1), "step 7 (applied, token 0 ) at revision 10: it applies revision 12, expected 11"},
		{"a revision that is not there", nil, insert(18, steps.Step{Kind: steps.Applied, Revision: 16}), "revision 16, which is not in the log"},
		{"a revision twice", nil, insert(6, steps.Step{Kind: steps.Applied, Revision: 10}), "it goes back to revision 10"},
		{"an older list", nil, insert(9, steps.Step{Kind: steps.Listed, Revision: 11}), "it goes back to revision 11"},
		{"a new list", nil, insert(9, steps.Step{Kind: steps.Listed, Revision: 12}), ""},
		{"no list", nil, without(1, 1), "before a list"},
		{"a session in a session", nil, insert(9, steps.Step{Kind: steps.Began, Session: 3}), "is not lost"},
		{"a session that was lost goes on", nil, insert(9, steps.Step{Kind: steps.Lost}), "it has no session"},
		{"a session that is not fenced", nil, without(17, 1), "session 0000000000000002 wrote a bad value"},
		{"a session that is fenced for nothing", nil, insert(9, steps.Step{Kind: steps.Fenced, Session: 2}), "session 2 wrote no bad value"},
		{"a fenced session goes on", put(14, 1, "1/d", "bad"), keep, "session 0000000000000001 is fenced and goes on"},
		{"a session goes on after its batch was deleted", put(14, 1, "2/a", ""), keep, "token 786432 was ended in the log and the session goes on, expected its loss"},
		{"the end is missing", nil, without(19, 1), "expected its stop"},
	} {
		t.Run(c.name, func(t *testing.T) {
			events, run, clients := goodRun()
			log := clustertest.NewLog("/p")
			for _, e := range events {
				if c.event != nil && c.event.Kv.ModRevision == e.Kv.ModRevision {
					e = c.event
				}
				log.Add(e)
			}
			err := clustertest.Validate("w", c.alter(run), clients, false, log, func(string) {})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	events, run, clients := goodRun()
	log := clustertest.NewLog("/p")
	for _, e := range events {
		log.Add(e)
	}
	clients[0].Token++
	if err := clustertest.Validate("w", run, clients, false, log, func(string) {}); err == nil || !strings.Contains(err.Error(), "client has a grant") {
		t.Errorf("another token of a client: got %v", err)
	}
}
