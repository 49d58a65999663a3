package manager

import (
	"slices"
	"sort"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/waitqueue"
)

// nodeQueues has the numbers of the requests of a snapshot by node, state and mode, each list by
// arrival. So the blockers of a request are found without messages to the manager and without calls
// of Parent.
type nodeQueues[N treelock.Node[N]] map[scopedNode[N]]*[2][waitqueue.NumModes][]uint64

// A scopedNode is a node in one scope. Requests in different scopes never meet.
type scopedNode[N treelock.Node[N]] struct {
	inside uint64 // the number of the grant that is the scope, or 0
	node   N
}

// How many blockers a snapshot names for each waiting request, and counts for each mode at each
// node.
const (
	maxNamed   = 8
	maxCounted = 64
)

// add adds a request. Requests of one state must be added by arrival.
func (q nodeQueues[N]) add(row *row[N]) {
	for _, used := range row.uses {
		at := q[scopedNode[N]{row.inside, used.Node}]
		if at == nil {
			at = new([2][waitqueue.NumModes][]uint64)
			q[scopedNode[N]{row.inside, used.Node}] = at
		}
		list := &at[row.state][used.Mode]
		*list = append(*list, row.seq)
	}
}

// blockers returns the numbers of the earliest requests that the request of row waits for, and how
// many more there are. With atLeast there may be more than that.
func (q nodeQueues[N]) blockers(row *row[N]) (seqs []uint64, more int, atLeast bool) {
	for _, used := range row.uses {
		for _, lists := range q[scopedNode[N]{row.inside, used.Node}] {
			// Each blocker shares a node with the request, in a mode that conflicts there, and
			// arrived earlier. Lists are by arrival, so the earlier ones are a prefix. The modes
			// that a widening passes are left out among holders, too: they conflict with its grant,
			// so no other request holds one of them.
			for rivals := used.Mode.Conflicting() &^ used.Passes; rivals != 0; rivals = rivals.WithoutFirst() {
				list := lists[rivals.First()]
				n := sort.Search(len(list), func(i int) bool { return list[i] >= row.seq })
				earlier := list[:n]
				if len(earlier) > maxCounted {
					earlier, atLeast = earlier[:maxCounted], true
				}
				seqs = append(seqs, earlier...)
			}
		}
	}
	// A blocker may share several nodes with the request.
	slices.Sort(seqs)
	seqs = slices.Compact(seqs)
	// A widening does not wait for its own grant.
	if i, found := slices.BinarySearch(seqs, row.widens); found {
		seqs = slices.Delete(seqs, i, i+1)
	}
	named := seqs[:min(maxNamed, len(seqs))]
	return named, len(seqs) - len(named), atLeast
}
