package main

import (
	"path"
	"strings"
)

// A Claim is a folder or an object, with all below it, that an operation reads or writes.
type Claim struct {
	Key   string
	Write bool
}

func (c Claim) conflicts(other Claim) bool {
	return (c.Write || other.Write) && (lies(c.Key, other.Key) || lies(other.Key, c.Key))
}

// lies reports whether key is the folder or lies in it.
func lies(key, folder string) bool { return strings.HasPrefix(key+"/", folder+"/") }

// A guard remembers, for each folder, the largest token of a reader and that of a writer. Among
// conflicting grants a later one has a larger token. So a claim whose token is smaller than that of
// a conflicting one is late: its grant was lost, and another process was granted the folder since.
type guard struct {
	seen map[string]tokens
}

type tokens struct{ read, write uint64 }

// late reports whether a larger token than that of c was seen in conflict with c.
func (g *guard) late(c Claim, token uint64) bool {
	larger := func(t tokens) bool { return t.write > token || c.Write && t.read > token }
	for key := c.Key; key != "."; key = path.Dir(key) {
		if larger(g.seen[key]) {
			return true
		}
	}
	for key, t := range g.seen {
		if lies(key, c.Key) && larger(t) {
			return true
		}
	}
	return false
}

// raise remembers the token of c.
func (g *guard) raise(c Claim, token uint64) {
	t := g.seen[c.Key]
	if c.Write {
		t.write = max(t.write, token)
	} else {
		t.read = max(t.read, token)
	}
	g.seen[c.Key] = t
}
