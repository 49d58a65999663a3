package exhaustive_test

// countPlaces returns the number of places that a request with these claims must have (I3): one for each node that is
// claimed, or above one that is.
func countPlaces(s spelling) int {
	nodes := map[int]bool{}
	for _, claim := range s.claims {
		for _, node := range claim.Lineage {
			nodes[node] = true
		}
	}
	return len(nodes)
}
