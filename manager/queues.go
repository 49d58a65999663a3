package manager

import (
	"slices"
	"sort"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/waitqueue"
)

// queues is what a snapshot has seen at each node: who is there in which mode, those that wait and those that hold, each by arrival. So
// it knows who waits for whom, and nobody has to be asked: neither the manager, nor the nodes for their parents.
type nodeQueues[N treelock.Node[N]] map[N]*[2][waitqueue.NumModes][]uint64

// How many blockers a snapshot names for each request that waits, and how many it counts for each mode at each node.
const (
	maxNamed   = 8
	maxCounted = 64
)

// add adds a request. Those in one state must be added by arrival.
func (q nodeQueues[N]) add(row *row[N]) {
	for _, used := range row.places {
		at := q[used.Node]
		if at == nil {
			at = new([2][waitqueue.NumModes][]uint64)
			q[used.Node] = at
		}
		list := &at[row.state][used.Mode]
		*list = append(*list, row.seq)
	}
}

// blockers returns the numbers of the earliest requests that one which waits waits for, how many more there are, and whether there
// may be more than that.
func (q nodeQueues[N]) blockers(row *row[N]) (seqs []uint64, more int, atLeast bool) {
	for _, used := range row.places {
		for _, lists := range q[used.Node] {
			for rivals := used.Mode.Rivals(); rivals != 0; rivals = rivals.Rest() {
				list := lists[rivals.First()]
				earlier := list[:sort.Search(len(list), func(i int) bool { return list[i] >= row.seq })]
				if len(earlier) > maxCounted {
					earlier, atLeast = earlier[:maxCounted], true
				}
				seqs = append(seqs, earlier...)
			}
		}
	}
	slices.Sort(seqs)
	seqs = slices.Compact(seqs)
	named := seqs[:min(maxNamed, len(seqs))]
	return named, len(seqs) - len(named), atLeast
}
