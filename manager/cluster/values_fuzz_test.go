package cluster

import (
	"bytes"
	"runtime"
	"testing"
	"time"

	"github.com/treelock/treelock/waitqueue"
)

// batchSeeds and amendmentSeeds are values that sessions write, and some that they do not.
func batchSeeds() [][]byte {
	request := func(label string, claims ...claim) []byte { return appendRequest(nil, proposed{claims, label}) }
	return [][]byte{
		batchValue(written{name: "A"}, [][]byte{request("backup", write("/a")...), request("", read("/", "/b/c")...)}),
		batchValue(written{"host:1", time.UnixMilli(1796000000000)}, [][]byte{request("", claimsOf(waitqueue.NW, "/a/b")...), request("nothing")}),
		batchValue(written{name: "A"}, nil),
		batchValue(written{"A", time.UnixMilli(maxMade + 1)}, nil),
		{formatUndated, 1, 'A', 0x80, 0x80, 4}, // 65,536 requests, and none follows
		{formatUndated, 1, 'A', 1, 0, 0xff, 0xff, 3},
		{0, 1, 'A', 0},
		{format + 1, 1, 1, 'A', 0},
		{formatUndated, 0, 0},
		{formatUndated, 0x81, 0, 'A', 0},
		{format, 1, 1, 'A', 0},
		{format, 0, 1, 'A', 0}, // the time 0
		{format, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 1, 'A', 0}, // a time that is too late
	}
}

func amendmentSeeds() [][]byte {
	return [][]byte{
		amendment{}.value(),
		amendment{ended: []int{0, 1, 5, 300, 65535}}.value(),
		amendment{ended: []int{2}, narrowed: []narrowing{{0, write("/a/b")}, {3, nil}, {65535, read("/")}}}.value(),
		{formatUndated, 0x80, 0x80, 4},
		{formatUndated, 0, 0x80, 0x80, 4},
		{formatUndated, 1, 0x80, 0x80, 4, 0},
		{format, 0, 0},
		{formatUndated, 0, 1, 0x80, 0x80, 4, 0}, // it narrows request 65,536
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// checkAllocated checks that f, which parses value, allocates no more than a multiple of it. What
// else runs at the same time counts as well.
func checkAllocated(t *testing.T, value []byte, f func()) {
	t.Helper()
	if n, most := allocated(f), 128*uint64(len(value))+1<<17; n > most {
		t.Errorf("%d bytes were allocated for a value of %d", n, len(value))
	}
}

// FuzzBatchValue checks that a value that is a batch is written as it was read.
func FuzzBatchValue(f *testing.F) {
	for _, seed := range batchSeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		var w written
		var requests []proposed
		var err error
		checkAllocated(t, value, func() { w, requests, err = parseBatch(value) })
		if err != nil {
			return
		}
		var encoded [][]byte
		for _, r := range requests {
			encoded = append(encoded, appendRequest(nil, r))
		}
		if again := batchValue(w, encoded); !bytes.Equal(again, value) {
			t.Errorf("%q is read as %v %v, and that is written as %q", value, w, requests, again)
		}
	})
}

// FuzzAmendmentValue checks that a value that is an amendment is written as it was read.
func FuzzAmendmentValue(f *testing.F) {
	for _, seed := range amendmentSeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		var a amendment
		var err error
		checkAllocated(t, value, func() { a, err = parseAmendment(value) })
		if err != nil {
			return
		}
		if again := a.value(); !bytes.Equal(again, value) {
			t.Errorf("%q is read as %v, and that is written as %q", value, a, again)
		}
		for _, i := range a.ended {
			if i < 0 || i >= maxBatch || !a.ends(i) {
				t.Errorf("%q ends %d of %v", value, i, a)
			}
		}
		for _, n := range a.narrowed {
			if _, ok := a.narrows(n.index); n.index < 0 || n.index >= maxBatch || !ok {
				t.Errorf("%q narrows %d of %v", value, n.index, a)
			}
		}
	})
}

// FuzzKey checks that each key has one meaning, and each meaning one key.
func FuzzKey(f *testing.F) {
	k := keys{"/m"}
	for _, key := range []string{k.batch(1, 1), k.amendment(-1, 12), k.revocation(1<<60, 3, 65535), k.guard(1, 2, 3), k.control(1), k.meta(),
		"/m/q/", "/m/q/0000000000000001/1/x/-1", "/m/q/0000000000000001/-1/a", "/m/q/0000000000000001/+1/a",
		"/m/q/0000000000000001/01/a", "/m/q/000000000000000A/1/a", "/m/q/0000000000000001/1/a/", "/m/q/0000000000000001/0/a"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		r, ok := k.parse(key)
		if ok && (k.text(r) != key || r.n < 1 || r.index < 0) {
			t.Errorf("parse(%q) = %v, and its key is %q", key, r, k.text(r))
		}
	})
}
