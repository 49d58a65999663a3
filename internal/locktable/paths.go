package locktable

import (
	"hash/maphash"
	"strings"

	"github.com/treelock/treelock"
)

// paths finds nodes with long names, if nodes are paths. Arrival of a path must take time that
// grows with its length and with its number of names, not with the product of both. So
//
//   - the names of ancestors share the memory of the name that they are prefixes of, within a
//     bound;
//   - a node with a long name is found by a hash from which the hash of its parent is computed.
//
// For example, the path /a/b/c has the hash h(0, a) + h(2, b) + h(4, c), where the numbers are the
// positions of the slashes. Its parent has that hash without the last term. Both names are slices
// of the same text.
type paths[N comparable, W any] struct {
	text   func(N) string
	name   func(string) N
	parent func(N) (N, bool)

	seed      maphash.Seed
	byHash    map[uint64]*node[N, W] // the nodes with long names, chained by sameHash
	peak      int                    // the largest count since byHash was made
	count     int                    // the number of nodes with long names
	idleBytes int                    // the bytes of texts with names of nodes in the idle list
}

const (
	// maxShort is the length of the longest short name. A short name never shares longer memory.
	maxShort = 256

	// idleName is how many bytes of long names are kept for each node that the idle list may hold.
	idleName = 256
)

// A longName is what a node with a long name has in addition.
type longName[N comparable, W any] struct {
	hash     uint64
	sameHash *node[N, W] // the next node with the same hash
	text     *text
}

// A text is the memory of one or more long names.
type text struct {
	bytes int
	idle  int // the nodes in the idle list whose names are in this text
}

// newPaths returns an empty paths, or nil if N is not treelock.Path.
func newPaths[N comparable, W any]() *paths[N, W] {
	parent, ok := any(treelock.Path.Parent).(func(N) (N, bool))
	if !ok {
		return nil
	}
	p := &paths[N, W]{parent: parent, seed: maphash.MakeSeed(), byHash: map[uint64]*node[N, W]{}}
	p.text, _ = any(func(name treelock.Path) string { return string(name) }).(func(N) string)
	p.name, _ = any(func(text string) treelock.Path { return treelock.Path(text) }).(func(string) N)
	return p
}

func (p *paths[N, W]) isLong(name N) bool { return len(p.text(name)) > maxShort }

// clone returns a copy of name, which shares no memory with it.
func (p *paths[N, W]) clone(name N) N { return p.name(strings.Clone(p.text(name))) }

// find returns the node with that name. It returns nil if there is none or the name is short.
func (p *paths[N, W]) find(name N) *node[N, W] {
	text := p.text(name)
	if len(text) <= maxShort || p.count == 0 {
		return nil
	}
	return p.findHash(p.hash(text), name)
}

func (p *paths[N, W]) findHash(hash uint64, name N) *node[N, W] {
	n := p.byHash[hash]
	for n != nil && n.name != name {
		n = n.long.sameHash
	}
	return n
}

// add adds a node with a copy of name, which is long.
func (p *paths[N, W]) add(name N) *node[N, W] {
	name = p.clone(name)
	s := p.text(name)
	return p.insert(name, &longName[N, W]{hash: p.hash(s), text: &text{bytes: len(s)}})
}

// insert adds a node that keeps name and long.
func (p *paths[N, W]) insert(name N, long *longName[N, W]) *node[N, W] {
	n := &node[N, W]{name: name, inTable: true, long: long}
	long.sameHash = p.byHash[long.hash]
	p.byHash[long.hash] = n
	p.count++
	p.peak = max(p.peak, p.count)
	return n
}

// parentOf returns the parent of n, which has a long name, and adds it if need be. isLong is false,
// and parent is nil, if the name of the parent is short.
//
// The name of the parent shares the text of n's name, unless it is shorter than half of that text.
// Then it gets its own. So a node keeps at most twice the length of its name in memory, and to make
// all nodes of a path copies at most twice the length of the path.
func (p *paths[N, W]) parentOf(n *node[N, W]) (parent *node[N, W], isLong bool) {
	s := p.text(n.name)
	slash := strings.LastIndexByte(s, '/')
	if slash <= maxShort {
		return nil, false
	}
	// The hash of a path is a sum over its names. So the hash of the parent takes time in
	// proportion to the last name only.
	name, hash := p.name(s[:slash]), n.long.hash-p.hashName(slash, s[slash+1:])
	if parent := p.findHash(hash, name); parent != nil {
		return parent, true
	}
	long := &longName[N, W]{hash: hash, text: n.long.text}
	// The text is more than twice as long as this name, so sharing would keep too much of it.
	if 2*slash < long.text.bytes {
		name, long.text = p.clone(name), &text{bytes: slash}
	}
	return p.insert(name, long), true
}

// remove removes n.
func (p *paths[N, W]) remove(n *node[N, W]) {
	p.count--
	if first := p.byHash[n.long.hash]; first != n {
		for first.long.sameHash != n {
			first = first.long.sameHash
		}
		first.long.sameHash = n.long.sameHash
	} else if n.long.sameHash != nil {
		p.byHash[n.long.hash] = n.long.sameHash
	} else {
		delete(p.byHash, n.long.hash)
		p.byHash, p.peak = shrink(p.byHash, p.peak)
	}
}

// countIdle adds by to the number of nodes in the idle list whose names are in t. The bytes of a
// text count as long as there is such a node.
func (p *paths[N, W]) countIdle(t *text, by int) {
	if t.idle == 0 {
		p.idleBytes += t.bytes
	}
	if t.idle += by; t.idle == 0 {
		p.idleBytes -= t.bytes
	}
}

// hash returns the hash of a path: the sum of the hashes of its names and their positions. A sum
// lets parentOf compute the hash of a parent from that of its child.
func (p *paths[N, W]) hash(path string) (hash uint64) {
	for end := len(path); end > 0; {
		slash := strings.LastIndexByte(path[:end], '/')
		hash += p.hashName(slash, path[slash+1:end])
		end = slash
	}
	return hash
}

// hashName returns the hash of a name that follows the slash at that index.
func (p *paths[N, W]) hashName(slash int, name string) uint64 {
	const odd = 0x9e3779b97f4a7c15 // spreads the index over all bits
	// The position is part of the hash: otherwise a client could make all lookups slow with many
	// orders of the same names. maphash has a random seed, so hashes cannot be predicted.
	h := maphash.String(p.seed, name) ^ uint64(slash+1)*odd
	h ^= h >> 32
	return h * odd
}
