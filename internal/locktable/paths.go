package locktable

import (
	"hash/maphash"
	"strings"

	"github.com/treelock/treelock"
)

// paths is what the table knows of names that are paths. A name says what its parent is; and the
// nodes on the way up from a long name have prefixes of it as their names. What such a path costs
// must grow with its length and with its number of names, not with their product. So
//
//   - prefixes share the memory of the name that they were cut from, see above;
//   - nodes with long names are found by a hash of which that of the parent is a part.
type paths[N comparable, W any] struct {
	text   func(N) string
	name   func(string) N
	parent func(N) (N, bool)

	seed      maphash.Seed
	byHash    map[uint64]*node[N, W] // the nodes with long names; each leads to others with the same hash
	peak      int                    // as in nodes
	count     int                    // of nodes with long names
	idleBytes int                    // of the texts of which a part is the name of a node that is listed
}

const (
	// maxShort is the length of the longest short name. The memory of a short name is never longer.
	maxShort = 256

	// idleName is how many bytes of long names are kept for each idle node that may be kept.
	idleName = 256
)

// A longName is what is known of a node with a long name, besides that.
type longName[N comparable, W any] struct {
	hash     uint64
	sameHash *node[N, W] // the next node with the same hash
	text     *text
}

// A text is the memory of one or more long names.
type text struct {
	bytes int
	idle  int // nodes in the list of those that were idle that have a name in it
}

// newPaths returns what there is to know about paths, nil if N is something else.
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

// clone returns a copy of name that does not keep in memory what it may have been cut from.
func (p *paths[N, W]) clone(name N) N { return p.name(strings.Clone(p.text(name))) }

// find returns the node with that name, nil if there is none or the name is not long.
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

// add adds the node with that name, which is long.
func (p *paths[N, W]) add(name N) *node[N, W] {
	name = p.clone(name)
	s := p.text(name)
	return p.insert(name, &longName[N, W]{hash: p.hash(s), text: &text{bytes: len(s)}})
}

func (p *paths[N, W]) insert(name N, long *longName[N, W]) *node[N, W] {
	n := &node[N, W]{name: name, inTable: true, long: long}
	long.sameHash = p.byHash[long.hash]
	p.byHash[long.hash] = n
	p.count++
	p.peak = max(p.peak, p.count)
	return n
}

// above returns the node above n, which has a long name, and adds it if need be; isLong is false if
// the name above is not long. The parent's name stays in the text of n's name unless it is shorter
// than half of that, so a node keeps at most twice the length of its name in memory, and to make
// all nodes of a path copies at most twice its length.
func (p *paths[N, W]) parentOf(n *node[N, W]) (parent *node[N, W], isLong bool) {
	s := p.text(n.name)
	slash := strings.LastIndexByte(s, '/')
	if slash <= maxShort {
		return nil, false
	}
	name, hash := p.name(s[:slash]), n.long.hash-p.hashName(slash, s[slash+1:])
	if parent := p.findHash(hash, name); parent != nil {
		return parent, true
	}
	long := &longName[N, W]{hash: hash, text: n.long.text}
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

// countListed counts one node more, or one less, that is listed and has its name in text.
func (p *paths[N, W]) countIdle(t *text, by int) {
	if t.idle == 0 {
		p.idleBytes += t.bytes
	}
	if t.idle += by; t.idle == 0 {
		p.idleBytes -= t.bytes
	}
}

// hash returns the hash of a path: the sum of those of its names and where they stand.
func (p *paths[N, W]) hash(path string) (hash uint64) {
	for end := len(path); end > 0; {
		slash := strings.LastIndexByte(path[:end], '/')
		hash += p.hashName(slash, path[slash+1:end])
		end = slash
	}
	return hash
}

// hashName returns the part of a hash that one name makes, which stands behind the slash at that index.
func (p *paths[N, W]) hashName(slash int, name string) uint64 {
	const odd = 0x9e3779b97f4a7c15 // spreads the index over all bits
	h := maphash.String(p.seed, name) ^ uint64(slash+1)*odd
	h ^= h >> 32
	return h * odd
}
