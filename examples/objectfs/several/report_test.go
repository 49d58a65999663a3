package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/treelock/treelock/examples/objectfs/job"
)

func aReport(locks string) *report {
	start := time.Now()
	stats := []stats{
		{waits: []time.Duration{time.Millisecond, 3 * time.Millisecond}, handOvers: 7, tookOver: 1},
		{fault: "killed", faultAt: start.Add(5 * time.Second)},
		{fault: "stopped", faultAt: start.Add(8 * time.Second), faultFor: 6 * time.Second, late: 5, lateTo: map[string]int{"write": 3, "delete": 1, "list": 1}},
	}
	for i := range stats {
		stats[i].result.Ops = map[string]job.Count{"read folder": {Done: 1000, Refused: 2, Lost: i}}
	}
	return &report{locks: locks, folders: 104, stats: stats, start: start, left: []*leftover{
		{worker: 1, label: `rename folder "` + folders + `/a" to "b"`, changed: 4, taker: 0, after: 2 * time.Second},
		{worker: 1, label: `write folder "c"`, writes: []string{"c"}, changed: 9, taker: -1},
	}}
}

func wantReport(t *testing.T, r *report, texts ...string) {
	t.Helper()
	var out bytes.Buffer
	r.write(&out)
	for _, text := range texts {
		if !strings.Contains(out.String(), text) {
			t.Errorf("the report does not say %q:\n%s", text, out.String())
		}
	}
}

func TestReportTellsWhatCameOfEachProcess(t *testing.T) {
	wantReport(t, aReport(locksCluster),
		"\nOK: 3,009 operations of 3 processes, 0 failed, all 104 folders verified intact\n",
		"worker-2 was killed with -9 after 5.0 s; it gave up 1 operations; it left 2 half done\n",
		`    rename folder "a" to "b", 4 objects written or deleted: worker-1 took over 2.0 s later, and completed the rename`+"\n",
		`    write folder "c", 9 objects written or deleted: no process has come by`+"\n",
		"worker-3 was stopped after 8.0 s, and went on after 6s, with a lease of 2s; it gave up 2 operations; it left 0 half done\n",
		"    the store refused 4 late writes and 1 other late calls by their tokens\n",
		"locks cluster           worker-1  worker-2  worker-3       all\n",
		"                                    killed   stopped          \n",
		"  read folder              1,000     1,000     1,000     3,000\n",
		"wait, median                 3ms        0s        0s       3ms\n",
		"hand-overs                     7         0         0         7\n",
		"late writes refused            0         0         4         4\n",
		"torn folders                                                 0\n",
	)
}

func TestFoldersOfADeadProcessAreNamedAndNotCountedAsDamage(t *testing.T) {
	damage := []job.Damage{{Folder: "c/slot-1", Kind: job.Torn, Detail: "half"}}
	for locks, want := range map[string][]string{
		locksCluster: {"OK: ", "103 folders verified intact, 1 half written by a process that is gone\n", "left by worker-2: c/slot-1: torn: half\n", "left half written                                            1\n"},
		locksLocal:   {"FAILED, as each process has locks of its own: ", "1 of 104 folders damaged, 0 stray files\n", "damaged: c/slot-1: torn: half\n", "no other process knows"},
	} {
		from := aReport(locks)
		s := &service{stats: from.stats, left: from.left, start: from.start}
		wantReport(t, newReport(config{locks: locks}, s, 104, damage), want...)
	}
}

func TestDamageFailureAndOverlapAreNotSound(t *testing.T) {
	for name, spoil := range map[string]func(r *report){
		"a stray file":       func(r *report) { r.damage = []job.Damage{{Folder: "x", Kind: job.Stray}} },
		"a failed operation": func(r *report) { r.stats[0].result.Add("read folder", job.Count{Failed: 1}, errors.New("boom")) },
		"two at once":        func(r *report) { r.overlap = 1 },
	} {
		r := aReport(locksCluster)
		if !r.sound() {
			t.Fatal("the report is not sound before")
		}
		if spoil(r); r.sound() {
			t.Errorf("%s: the report is sound", name)
		}
		wantReport(t, r, "FAILED: ")
	}
}

func TestProcessThatWasOvertakenWithoutReasonIsAnOverlap(t *testing.T) {
	from := aReport(locksCluster)
	from.left = append(from.left, &leftover{worker: 0, label: "write", taker: 2})
	s := &service{stats: from.stats, left: from.left, start: from.start, guarded: true}
	if r := newReport(config{locks: locksCluster}, s, 104, nil); r.overlap != 1 || r.sound() {
		t.Errorf("%d overlaps, sound: %t, want 1 and false", r.overlap, r.sound())
	}
}

func TestWrongUsageIsRefused(t *testing.T) {
	for args, says := range map[string]string{
		"-locks some":               `-locks "some": use cluster or local`,
		"-workers 2":                "-workers 2: use 3 or more",
		"-clients 0":                "-clients 0: use 1 or more",
		"-seconds 7":                "-seconds 7: use 8 or more",
		"-n -1":                     "-n -1: use 1 or more",
		"-latency -1s":              "-latency -1s: use 0 or more",
		"-etcd x:2379 -locks local": "-etcd is for -locks=cluster",
		"-prefix /":                 `-prefix "/": use a name`,
		"extra":                     `unexpected argument "extra"`,
		"-nonsense":                 "not defined: -nonsense",
	} {
		_, err := parse(strings.Fields(args), io.Discard)
		if err == nil || !strings.HasPrefix(err.Error(), "several: ") || !strings.Contains(err.Error(), says) {
			t.Errorf("several %s: %v, want %q", args, err, says)
		}
	}
	if _, err := parse([]string{"-h"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: %v, want help", err)
	}
}
