package locktable

// longNames finds nodes with long names, if the table has a naming. An arrival must take time that
// grows with the length of a name and with the number of its ancestors, not with the product of
// both. So
//
//   - the names of ancestors share the memory of the name that they are part of, within a bound;
//   - a node with a long name is found by a hash from which the hash of its parent is computed.
//
// For example, the path /a/b/c has the hash h(/, a) + h(/a, b) + h(/a/b, c), where each term is a
// step. Its parent has that hash without the last term. Both names are slices of the same text.
type longNames[N comparable, W any] struct {
	naming Naming[N] // nil: there are no long names

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

func newLongNames[N comparable, W any](naming Naming[N]) longNames[N, W] {
	return longNames[N, W]{naming: naming, byHash: map[uint64]*node[N, W]{}}
}

func (l *longNames[N, W]) isLong(name N) bool { return l.naming.Size(name) > maxShort }

// find returns the node with that name. It returns nil if there is none or the name is short.
func (l *longNames[N, W]) find(name N) *node[N, W] {
	if l.count == 0 || !l.isLong(name) {
		return nil
	}
	return l.findHash(l.hash(name), name)
}

func (l *longNames[N, W]) findHash(hash uint64, name N) *node[N, W] {
	n := l.byHash[hash]
	for n != nil && n.name != name {
		n = n.long.sameHash
	}
	return n
}

// add adds a node with a copy of name, which is long.
func (l *longNames[N, W]) add(name N) *node[N, W] {
	name = l.naming.Clone(name)
	return l.insert(name, &longName[N, W]{hash: l.hash(name), text: &text{bytes: l.naming.Size(name)}})
}

// insert adds a node that keeps name and long.
func (l *longNames[N, W]) insert(name N, long *longName[N, W]) *node[N, W] {
	n := &node[N, W]{name: name, inTable: true, long: long}
	long.sameHash = l.byHash[long.hash]
	l.byHash[long.hash] = n
	l.count++
	l.peak = max(l.peak, l.count)
	return n
}

// parentOf returns the parent of n, which has a long name, and adds it if need be. isLong is false,
// and parent is nil, if the name of the parent is short or n is a root.
//
// The name of the parent shares the text of n's name, unless it is shorter than half of that text.
// Then it gets its own. So a node keeps at most twice the length of its name in memory. To make all
// nodes of a lineage copies at most twice the length of the longest name.
func (l *longNames[N, W]) parentOf(n *node[N, W]) (parent *node[N, W], isLong bool) {
	name, step, ok := l.naming.Step(n.name)
	if !ok || !l.isLong(name) {
		return nil, false
	}
	// The hash of a name is a sum. So the hash of the parent takes the time of one step only.
	hash := n.long.hash - step
	if parent := l.findHash(hash, name); parent != nil {
		return parent, true
	}
	long := &longName[N, W]{hash: hash, text: n.long.text}
	// The text is more than twice as long as this name, so sharing would keep too much of it.
	if size := l.naming.Size(name); 2*size < long.text.bytes {
		name, long.text = l.naming.Clone(name), &text{bytes: size}
	}
	return l.insert(name, long), true
}

// remove removes n.
func (l *longNames[N, W]) remove(n *node[N, W]) {
	l.count--
	if first := l.byHash[n.long.hash]; first != n {
		for first.long.sameHash != n {
			first = first.long.sameHash
		}
		first.long.sameHash = n.long.sameHash
	} else if n.long.sameHash != nil {
		l.byHash[n.long.hash] = n.long.sameHash
	} else {
		delete(l.byHash, n.long.hash)
		l.byHash, l.peak = shrink(l.byHash, l.peak)
	}
}

// countIdle adds by to the number of nodes in the idle list whose names are in t. The bytes of a
// text count as long as there is such a node.
func (l *longNames[N, W]) countIdle(t *text, by int) {
	if t.idle == 0 {
		l.idleBytes += t.bytes
	}
	if t.idle += by; t.idle == 0 {
		l.idleBytes -= t.bytes
	}
}

// hash returns the hash of a name: the sum of the hashes of its steps. A sum lets parentOf compute
// the hash of a parent from that of its child.
func (l *longNames[N, W]) hash(name N) (hash uint64) {
	for {
		parent, step, ok := l.naming.Step(name)
		if !ok {
			return hash
		}
		name, hash = parent, hash+step
	}
}
