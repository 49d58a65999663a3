package locktable

// A Naming says how the names of nodes work, if a name alone says which ancestors its node has. A
// table with a naming reads the first node of a lineage only: the rest may not be in the cache of
// this processor. It finds the ancestors that it knows without their names.
//
// A table without one reads whole lineages. Then a node may have another parent in each request.
type Naming[N comparable] interface {
	// Parent returns the parent of a node. ok is false at a root. The name of the parent may share
	// the memory of name.
	Parent(name N) (parent N, ok bool)

	// Step is Parent, and returns a hash of what name adds to the name of the parent. The sum of
	// these hashes along a lineage is the hash of a name.
	Step(name N) (parent N, hash uint64, ok bool)

	// Contains reports whether other is name or lies below it.
	Contains(name, other N) bool

	// Size returns the bytes of memory of a name. Ancestors have smaller names.
	Size(name N) int

	// Clone returns a copy of name, which shares no memory with it.
	Clone(name N) N
}
