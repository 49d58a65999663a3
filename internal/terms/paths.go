package terms

import (
	"hash/maphash"
	"strings"

	"github.com/treelock/treelock"
)

// Paths is the naming of paths, for the lock table: a path alone says which ancestors it has.
type Paths struct{ seed maphash.Seed }

// NewPaths returns a Paths with hashes of its own.
func NewPaths() *Paths { return &Paths{maphash.MakeSeed()} }

// Parent returns the parent of p, which shares the memory of p.
func (*Paths) Parent(p treelock.Path) (parent treelock.Path, ok bool) { return p.Parent() }

// Step is Parent. It also returns a hash of the last name of p and of its position.
func (ps *Paths) Step(p treelock.Path) (parent treelock.Path, hash uint64, ok bool) {
	slash := strings.LastIndexByte(string(p), '/')
	if slash < 0 || p == "/" {
		return parent, 0, false
	}
	const odd = 0x9e3779b97f4a7c15 // spreads the position over all bits
	// The position is part of the hash: otherwise a client could make all lookups slow with many
	// orders of the same names. maphash has a random seed, so hashes cannot be predicted.
	hash = maphash.String(ps.seed, string(p[slash+1:])) ^ uint64(slash+1)*odd
	hash ^= hash >> 32
	return p[:max(slash, 1)], hash * odd, true
}

// Contains reports whether other is p or lies below it.
func (*Paths) Contains(p, other treelock.Path) bool { return p.Contains(other) }

// Size returns the length of p in bytes.
func (*Paths) Size(p treelock.Path) int { return len(p) }

// Clone returns a copy of p, which shares no memory with it.
func (*Paths) Clone(p treelock.Path) treelock.Path { return treelock.Path(strings.Clone(string(p))) }
