package exhaustive_test

import (
	"bytes"
	"slices"
)

// endOfNode separates the nodes in a key. No entry looks like it.
const endOfNode = 0xff

// appendEntries appends to key all that the queues of a table say: node by node in that order, who was admitted in which
// mode, and then, mode by mode, from the first to the last entry, who waits. live are the live requests by arrival.
func appendEntries(key []byte, t *table, live []*request, order []int) []byte {
	for _, node := range order {
		for s := range t.Standings(node) {
			rank := slices.Index(live, s.Request)
			entry := byte(s.Mode)<<4 | byte(rank)<<1
			if s.Admitted {
				entry |= 1
			}
			if key = append(key, entry); len(key) > maxKey {
				return key // a list has become a circle that misses its head
			}
		}
		key = append(key, endOfNode)
	}
	return key
}

// maxKey is more than any sound table fills.
const maxKey = 1 << 10

// appendKey appends to key what identifies the state that p is in: the forms of the live requests by arrival, and all
// that the queues say of them. States that a symmetry of the tree maps to one another have the same key. So are clients
// that change places, since no client is in it.
func (p *player) appendKey(key []byte) []byte {
	for i := range p.want.w.symmetries {
		s := &p.want.w.symmetries[i]
		if i > 0 && p.compareForms(s, key) > 0 {
			continue
		}
		p.rival = p.appendForms(p.rival[:0], s)
		p.rival = appendEntries(p.rival, p.table, p.reqs, s.from)
		if i == 0 || bytes.Compare(p.rival, key) < 0 {
			key = append(key[:0], p.rival...)
		}
	}
	return key
}

// hasKey reports whether p is in the state with that key.
func (p *player) hasKey(key []byte) bool {
	return bytes.Equal(p.appendKey(nil), key)
}

// appendForms appends the number of live requests, and the images of the forms of the live requests.
func (p *player) appendForms(key []byte, s *symmetry) []byte {
	key = append(key, byte(p.want.live))
	for _, form := range p.want.forms[:p.want.live] {
		key = append(key, byte(s.forms[form]>>8), byte(s.forms[form]))
	}
	return key
}

// compareForms compares what appendForms appends with the beginning of key.
func (p *player) compareForms(s *symmetry, key []byte) int {
	for i, form := range p.want.forms[:p.want.live] {
		if c := int(s.forms[form]) - int(key[2*i+1])<<8 - int(key[2*i+2]); c != 0 {
			return c
		}
	}
	return 0
}
