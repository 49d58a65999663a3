package waitqueue

import "math/bits"

// A Mode is how a request uses one node. A claim has mode NR, NW, TR or TW at the node that it
// names, and an intention, IR or IW, at each ancestor.
//
// Conflict between two requests is decided at each node alone, by this compatibility matrix (x
// marks a conflict):
//
//	               later   IR  IW  NR  NW  TR  TW
//	earlier
//	IR  reads below         –   –   –   –   –   x
//	IW  writes below        –   –   –   –   x   x
//	NR  reads the node      –   –   –   x   –   x
//	NW  writes the node     –   –   x   x   x   x
//	TR  reads the subtree   –   x   –   x   –   x
//	TW  writes the subtree  x   x   x   x   x   x
//
// It is symmetric. The scheme is that of the intention locks of Gray, Lorie, Putzolu and Traiger
// ("Granularity of Locks in a Large Shared Data Base", 1975). It adds modes for the node without
// its subtree, NR and NW, which admit claims further down.
//
// A request may use one node in several ways, for example read the subtree and write below. Then it
// has a combined mode, which conflicts with each mode that one of its parts conflicts with. (Their
// SIX is IWTR here.) Three combined modes are enough: any other set of modes conflicts with the
// same modes as one of these or as one of its own members. See [Modes.Combined].
type Mode uint8

const (
	IR Mode = iota // intention to read below the node
	IW             // intention to write below the node
	NR             // read the node alone
	NW             // write the node alone
	TR             // read the node and everything below
	TW             // write the node and everything below

	IWNR // IW and NR
	IWTR // IW and TR
	NWTR // NW and TR

	NumModes  = 9 // the number of modes
	numSimple = 6 // the number of modes that are not combined
)

// matrix is the compatibility matrix: matrix[held] is the set of asked modes that conflict. No
// other place in the project says what conflicts.
var matrix = [numSimple]Modes{
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

// set returns a row of matrix.
func set(row ...Modes) (conflicts Modes) {
	for asked, mark := range row {
		conflicts |= mark << asked
	}
	return conflicts
}

// parts holds the simple modes of which each combined mode is made.
var parts = [NumModes]Modes{
	IWNR: 1<<IW | 1<<NR,
	IWTR: 1<<IW | 1<<TR,
	NWTR: 1<<NW | 1<<TR,
}

// conflicts is matrix for all modes: conflicts[held] is the set of asked modes that conflict.
var conflicts = func() (all [NumModes]Modes) {
	for held := range Mode(NumModes) {
		for asked := range Mode(NumModes) {
			for p := held.Parts(); p != 0; p = p.WithoutFirst() {
				if matrix[p.First()]&asked.Parts() != 0 {
					all[held] = all[held].With(asked)
				}
			}
		}
	}
	return all
}()

// Conflicts reports whether an earlier request in mode m blocks a later one in mode asked at the
// same node. It is symmetric.
func (m Mode) Conflicts(asked Mode) bool { return conflicts[m].Has(asked) }

// Covers reports whether m conflicts with every mode that o conflicts with. Then a request in mode
// m at a node need not have mode o there.
func (m Mode) Covers(o Mode) bool { return conflicts[o]&^conflicts[m] == 0 }

// Conflicting returns the modes that conflict with m.
func (m Mode) Conflicting() Modes { return conflicts[m] }

// Parts returns the simple modes of which m is made: m itself if it is simple.
func (m Mode) Parts() Modes {
	if m < numSimple {
		return Modes(1) << m
	}
	return parts[m]
}

// Intention returns the mode that a claim with mode m at its node has at each ancestor.
func (m Mode) Intention() Mode {
	if m.Parts()&(1<<IW|1<<NW|1<<TW) != 0 {
		return IW
	}
	return IR
}

// Claims reports whether a request in mode m uses the node itself, not only nodes below it.
func (m Mode) Claims() bool { return m >= NR }

// String returns the two letters of the mode, or the parts of a combined one, as in "IW+TR".
func (m Mode) String() string {
	if m >= NumModes {
		return "??"
	}
	first := m.Parts().First()
	name := "IRIWNRNWTRTW"[2*first : 2*first+2]
	if rest := m.Parts().WithoutFirst(); rest != 0 {
		name += "+" + rest.First().String()
	}
	return name
}

// Modes is a set of modes. The zero value is empty.
type Modes uint16

// The shifts below are by m&15, which equals m. So the compiler omits its check of the shift count.

// AllModes is the set of all modes.
const AllModes Modes = 1<<NumModes - 1

// Writing is the set of modes that write the node or something below it.
var Writing = func() (writing Modes) {
	for m := range Mode(NumModes) {
		if m.Intention() == IW {
			writing = writing.With(m)
		}
	}
	return writing
}()

// Has reports whether m is in the set.
func (s Modes) Has(m Mode) bool { return s>>(m&15)&1 != 0 }

// With returns the set with m in it.
func (s Modes) With(m Mode) Modes { return s | 1<<(m&15) }

// Without returns the set with m not in it.
func (s Modes) Without(m Mode) Modes { return s &^ (1 << (m & 15)) }

// Combined returns the mode that conflicts with exactly the modes that the members of s conflict
// with. The set must not be empty and must have simple modes only.
func (s Modes) Combined() Mode { return combined[s] }

// combined holds the results of Combined, by set.
var combined = func() (all [1 << numSimple]Mode) {
	for s := Modes(1); s < 1<<numSimple; s++ {
		var together Modes
		for rest := s; rest != 0; rest = rest.WithoutFirst() {
			together |= conflicts[rest.First()]
		}
		for m, conflicts := range conflicts {
			if conflicts == together {
				all[s] = Mode(m)
			}
		}
	}
	return all
}()

// First returns the mode of s that is declared first. The set must not be empty.
//
// With WithoutFirst it makes a loop over a set: for s := set; s != 0; s = s.WithoutFirst(). An
// iterator would allocate inside generic functions. See BenchmarkQueue.
func (s Modes) First() Mode { return Mode(bits.TrailingZeros16(uint16(s))) }

// WithoutFirst returns the set without its first mode.
func (s Modes) WithoutFirst() Modes { return s & (s - 1) }
