package exhaustive_test

import "github.com/treelock/treelock/waitqueue"

// countPlaces returns the number of entries that a request with these claims must have in all queues (I3): one for each
// of its modes at a node that no other of its modes there covers.
func countPlaces(s spelling) (count int) {
	modes := map[int]map[waitqueue.Mode]bool{}
	for _, claim := range s.claims {
		for i, node := range claim.Lineage {
			if modes[node] == nil {
				modes[node] = map[waitqueue.Mode]bool{}
			}
			if i == 0 {
				modes[node][claim.Mode] = true
			} else {
				modes[node][claim.Mode.Intention()] = true
			}
		}
	}
	for _, here := range modes {
		for mode := range here {
			if !covered(mode, here) {
				count++
			}
		}
	}
	return count
}

// covered reports whether some other of modes conflicts with all that mode conflicts with.
func covered(mode waitqueue.Mode, modes map[waitqueue.Mode]bool) bool {
	for other := range modes {
		covers := other != mode
		for asked := waitqueue.IR; asked <= waitqueue.TW; asked++ {
			covers = covers && (other.Conflicts(asked) || !mode.Conflicts(asked))
		}
		if covers {
			return true
		}
	}
	return false
}
