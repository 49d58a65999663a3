package history_test

import (
	"math/rand/v2"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/fuzz/internal/history"
	"github.com/treelock/treelock/internal/model"
)

func TestEverySequenceOfBytesIsAHistory(t *testing.T) {
	for _, tt := range []struct {
		bytes, ops int
	}{
		{0, 0}, {1, 0}, {2, 1}, {6, 1}, {7, 2}, {1 << 16, 96},
	} {
		if got := len(history.Decode(make([]byte, tt.bytes)).Ops); got != tt.ops {
			t.Errorf("Decode(%d bytes) has %d ops, want %d", tt.bytes, got, tt.ops)
		}
	}
}

func TestBytesReachEverything(t *testing.T) {
	verbs, ways, clients := map[history.Verb]bool{}, map[history.Way]bool{}, map[int]bool{}
	nests, others := map[history.Nest]bool{}, map[int]bool{}
	type claim struct {
		node   treelock.Path
		scope  treelock.Scope
		access treelock.Access
	}
	claims, sizes := map[claim]bool{}, map[int]bool{}
	limits, idle, tokens := map[int]bool{}, map[int]bool{}, map[uint64]bool{}
	for b := range 256 {
		h := history.Decode([]byte{byte(b), byte(b), byte(b), byte(b), byte(b / 2), 255})
		limits[h.MaxWaiting], idle[h.IdleNodes], tokens[h.FirstToken] = true, true, true
		op := h.Ops[0]
		verbs[op.Verb], ways[op.Way], clients[op.Client] = true, true, true
		nests[op.Nest], others[(op.Other()-op.Client+history.Clients)%history.Clients] = true, true
		sizes[op.Request().Len()] = true
		for c := range op.Request().Claims() {
			claims[claim{c.Node, c.Scope, c.Access}] = true
		}
	}
	for what, got := range map[string][2]int{
		"verbs": {len(verbs), 10}, "ways": {len(ways), 8}, "clients": {len(clients), history.Clients},
		"nests": {len(nests), 4}, "other clients": {len(others), history.Clients - 1},
		"claims": {len(claims), 4 * len(history.World)}, "sizes of requests": {len(sizes), 3},
		"limits": {len(limits), 5}, "bounds of idle nodes": {len(idle), 4}, "first tokens": {len(tokens), 2},
	} {
		if got[0] != got[1] {
			t.Errorf("the bytes reach %d %s, want %d", got[0], what, got[1])
		}
	}
}

func TestNarrowerLiesInsideUnlessItIsToFail(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	smaller, outside := 0, 0
	for range 2000 {
		data := make([]byte, 11)
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		ops := history.Decode(data).Ops
		held, narrow := ops[0].Request(), ops[1].Narrower(ops[0].Request())
		var m model.Model[treelock.Path]
		m.Submit("r", held)
		if _, ok := m.Narrow("r", narrow); !ok {
			outside++
			if ops[1].Way != history.Try {
				t.Fatalf("Narrower(%v) = %v, want one that lies inside", held, narrow)
			}
		} else if narrow.Len() > 0 && narrow.String() != held.String() {
			smaller++
		}
	}
	if smaller < 500 || outside < 50 {
		t.Errorf("of 2000 narrowings %d are to less and %d to something else, want many of each", smaller, outside)
	}
}

func TestHostileOpsHaveMoreBytes(t *testing.T) {
	for options, depth := range map[byte]int{0: 6, 64: 9} {
		h := history.DecodeHostile([]byte{options, 0, 3, 1, 2, 3, 4, 5, 6, 7, 0, 2})
		if h.MaxDepth != depth || len(h.Ops) != 2 {
			t.Fatalf("DecodeHostile() has depth %d and %d ops, want %d and 2", h.MaxDepth, len(h.Ops), depth)
		}
		op := h.Ops[0]
		if op.Claims != [3]byte{1, 2, 3} || op.Extra != [4]byte{4, 5, 6, 7} || !op.Hostile() || h.Ops[1].Hostile() {
			t.Errorf("DecodeHostile() has ops %+v, want the first hostile, with all bytes", h.Ops)
		}
	}
}
