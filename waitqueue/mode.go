package waitqueue

import "math/bits"

// A Mode is how a request uses one node. Claims give the node that they name NR, NW, TR or TW,
// and all its ancestors the intention IR or IW.
//
// Conflict between two requests is decided at each node alone, by this compatibility matrix (x marks
// a conflict):
//
//	               asked   IR  IW  NR  NW  TR  TW
//	held
//	IR  reads below         –   –   –   –   –   x
//	IW  writes below        –   –   –   –   x   x
//	NR  reads the node      –   –   –   x   –   x
//	NW  writes the node     –   –   x   x   x   x
//	TR  reads the subtree   –   x   –   x   –   x
//	TW  writes the subtree  x   x   x   x   x   x
//
// It is symmetric. The scheme is that of the intention locks of Gray, Lorie, Putzolu and Traiger
// ("Granularity of Locks in a Large Shared Data Base", 1975), with the node itself told apart
// from the subtree below it, so that NR and NW let claims further down pass.
type Mode uint8

const (
	IR Mode = iota // intention to read below the node
	IW             // intention to write below the node
	NR             // read the node alone
	NW             // write the node alone
	TR             // read the node and everything below
	TW             // write the node and everything below

	numModes = 6
)

// matrix is the compatibility matrix: matrix[held] is the set of asked modes that conflict. It is the
// only place in which the project says what conflicts.
var matrix = [numModes]Modes{
	//       IR   IW   NR   NW   TR   TW
	IR: set(0, 0, 0, 0, 0, x),
	IW: set(0, 0, 0, 0, x, x),
	NR: set(0, 0, 0, x, 0, x),
	NW: set(0, 0, x, x, x, x),
	TR: set(0, x, 0, x, 0, x),
	TW: set(x, x, x, x, x, x),
}

// x marks a conflict in matrix.
const x = 1

// set builds a row of matrix.
func set(row ...uint8) (conflicts Modes) {
	for asked, mark := range row {
		conflicts |= Modes(mark) << asked
	}
	return conflicts
}

// Conflicts reports whether an earlier request in mode m keeps out a later one in mode asked at the
// same node, or the other way round: it is symmetric.
func (m Mode) Conflicts(asked Mode) bool { return matrix[m].Has(asked) }

// Covers reports whether everything that conflicts with o conflicts with m too, so that a request
// with an entry in mode m needs none in mode o at the same node.
func (m Mode) Covers(o Mode) bool { return matrix[o]&^matrix[m] == 0 }

// Intention returns the mode that a claim with mode m at its node has at the node's ancestors.
func (m Mode) Intention() Mode {
	if m == IW || m == NW || m == TW {
		return IW
	}
	return IR
}

// String returns the two letters of the mode.
func (m Mode) String() string {
	if m >= numModes {
		return "??"
	}
	return "IRIWNRNWTRTW"[2*m : 2*m+2]
}

// Modes is a set of modes. The zero value is empty.
type Modes uint8

// Has reports whether m is in the set.
func (s Modes) Has(m Mode) bool { return s>>m&1 != 0 }

// With returns the set with m in it.
func (s Modes) With(m Mode) Modes { return s | 1<<m }

// Without returns the set with m not in it.
func (s Modes) Without(m Mode) Modes { return s &^ (1 << m) }

// Minimal returns the least subset of s that conflicts with the same modes as s: it leaves out what
// another mode of s covers.
func (s Modes) Minimal() Modes {
	minimal := s
	for rest := s; rest != 0; rest = rest.Rest() {
		m := rest.First()
		for others := minimal.Without(m); others != 0; others = others.Rest() {
			if others.First().Covers(m) {
				minimal = minimal.Without(m)
				break
			}
		}
	}
	return minimal
}

// First returns the mode of s that is declared first. The set must not be empty.
//
// With Rest it makes a loop over a set, for s := set; s != 0; s = s.Rest(), that allocates nothing
// inside generic functions, as an iterator would. See BenchmarkQueue.
func (s Modes) First() Mode { return Mode(bits.TrailingZeros8(uint8(s))) }

// Rest returns the set without its first mode.
func (s Modes) Rest() Modes { return s & (s - 1) }

// Len returns the number of modes in the set.
func (s Modes) Len() int { return bits.OnesCount8(uint8(s)) }
