package treelock

import (
	"fmt"
	"iter"

	"github.com/treelock/treelock/internal/nodetext"
)

// A Scope says how far below its node a claim reaches.
type Scope uint8

const (
	Subtree  Scope = iota // the node and everything below it, whether it exists or not
	NodeOnly              // the node alone
)

// String returns "subtree" or "node".
func (s Scope) String() string {
	if s == NodeOnly {
		return "node"
	}
	return "subtree"
}

// MarshalText returns the string, which is a scope in JSON.
func (s Scope) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is the reverse of MarshalText.
func (s *Scope) UnmarshalText(text []byte) error { return unmarshal(s, text, Subtree, NodeOnly) }

// An Access says what a claim is for.
type Access uint8

const (
	Shared    Access = iota // reading: any number of claims may share a node
	Exclusive               // writing: no other claim may reach the node
)

// String returns "shared" or "exclusive".
func (a Access) String() string {
	if a == Exclusive {
		return "exclusive"
	}
	return "shared"
}

// MarshalText returns the string, which is an access in JSON.
func (a Access) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is the reverse of MarshalText.
func (a *Access) UnmarshalText(text []byte) error { return unmarshal(a, text, Shared, Exclusive) }

// unmarshal sets v to that one of values which has text as its string.
func unmarshal[T fmt.Stringer](v *T, text []byte, values ...T) error {
	for _, value := range values {
		if value.String() == string(text) {
			*v = value
			return nil
		}
	}
	return fmt.Errorf("treelock: %.50q is none of %v", text, values)
}

// A Claim is one region of a tree and what is wanted of it. Its region is Node alone or Node and
// everything below, by its Scope.
//
// Two claims conflict if their regions share a node and at least one of them is Exclusive.
type Claim[N Node[N]] struct {
	Node   N      `json:"node"`
	Scope  Scope  `json:"scope"`
	Access Access `json:"access"`
}

// String names the claim as [Request.String] does.
func (c Claim[N]) String() string { return nodetext.Claim(c.Verb(), nodetext.Of(c.Node)) }

// Verb returns what a claim like c is called: read, write, read-node or write-node.
func (c Claim[N]) Verb() string {
	switch {
	case c.Scope != NodeOnly && c.Access != Exclusive:
		return "read"
	case c.Scope != NodeOnly:
		return "write"
	case c.Access != Exclusive:
		return "read-node"
	default:
		return "write-node"
	}
}

// fewClaims is how many claims a request holds without allocating. Few requests have more:
// a rename has two, an exchange that keeps a log three or four.
const fewClaims = 4

// A Request is a set of claims that are granted together. The zero Request has none; it is legal,
// conflicts with nothing and is granted at once.
//
// A Request is an immutable value: the methods that add claims return a new one and leave their
// receiver as it was. It may be built once and submitted many times, from many goroutines. A
// request never conflicts with itself: its nodes may repeat and may lie below one another.
//
// Two requests conflict if some claim of one conflicts with some claim of the other.
//
// Building a request allocates nothing up to four claims. Beyond that each call copies what was
// there before, so add many nodes in one call.
type Request[N Node[N]] struct {
	few  [fewClaims]Claim[N] // the first claims
	n    int                 // how many claims of few are set
	more []Claim[N]          // those that did not fit; never appended to in place
	note *note               // never changed; nil if it would be empty
}

// For returns the empty request for nodes of type N, to begin a chain with:
// For[Key[string]]().Write(key). It is the same as the zero Request[N].
func For[N Node[N]]() Request[N] { return Request[N]{} }

// Read returns a request to read paths and everything below them.
func Read(paths ...Path) Request[Path] { return Request[Path]{}.Read(paths...) }

// Write returns a request to write paths and everything below them.
func Write(paths ...Path) Request[Path] { return Request[Path]{}.Write(paths...) }

// ReadNode returns a request to read paths themselves, but nothing below them.
func ReadNode(paths ...Path) Request[Path] { return Request[Path]{}.ReadNode(paths...) }

// WriteNode returns a request to write paths themselves, but nothing below them.
func WriteNode(paths ...Path) Request[Path] { return Request[Path]{}.WriteNode(paths...) }

// Read returns a request for all that r asks for, and to read nodes and everything below them.
func (r Request[N]) Read(nodes ...N) Request[N] { return r.with(Subtree, Shared, nodes) }

// Write returns a request for all that r asks for, and to write nodes and everything below them.
func (r Request[N]) Write(nodes ...N) Request[N] { return r.with(Subtree, Exclusive, nodes) }

// ReadNode returns a request for all that r asks for, and to read nodes themselves.
func (r Request[N]) ReadNode(nodes ...N) Request[N] { return r.with(NodeOnly, Shared, nodes) }

// WriteNode returns a request for all that r asks for, and to write nodes themselves.
func (r Request[N]) WriteNode(nodes ...N) Request[N] { return r.with(NodeOnly, Exclusive, nodes) }

// With returns a request for all that r asks for and for claims, in this order. It copies them, so
// the caller may change its slice afterwards. A scope other than [NodeOnly] means [Subtree], and an
// access other than [Exclusive] means [Shared].
//
// It takes time in proportion to all claims of the result, and allocates once if these are more
// than four. So it adds tens of thousands of claims in one call; to add them one by one copies them
// again each time.
func (r Request[N]) With(claims ...Claim[N]) Request[N] {
	fit := copy(r.few[r.n:], claims)
	r.n += fit
	if fit < len(claims) {
		more := make([]Claim[N], 0, len(r.more)+len(claims)-fit)
		r.more = append(append(more, r.more...), claims[fit:]...)
	}
	return r
}

// with returns r with a claim more for each of nodes.
func (r Request[N]) with(scope Scope, access Access, nodes []N) Request[N] {
	for len(nodes) > 0 && r.n < fewClaims {
		r.few[r.n] = Claim[N]{nodes[0], scope, access}
		r.n++
		nodes = nodes[1:]
	}
	if len(nodes) == 0 {
		return r
	}
	more := make([]Claim[N], len(r.more), len(r.more)+len(nodes))
	copy(more, r.more)
	for _, node := range nodes {
		more = append(more, Claim[N]{node, scope, access})
	}
	r.more = more
	return r
}

// Len returns the number of claims, repeated ones included.
func (r Request[N]) Len() int { return r.n + len(r.more) }

// Claim returns the i-th claim, in the order in which they were added. It panics unless 0 <= i <
// r.Len().
func (r Request[N]) Claim(i int) Claim[N] {
	if i < r.n {
		return r.few[i]
	}
	return r.more[i-r.n]
}

// Claims returns an iterator over the claims, in the order in which they were added.
func (r Request[N]) Claims() iter.Seq[Claim[N]] {
	return func(yield func(Claim[N]) bool) {
		for i := range r.n {
			if !yield(r.few[i]) {
				return
			}
		}
		for _, claim := range r.more {
			if !yield(claim) {
				return
			}
		}
	}
}

// Parts returns the claims in two parts. It copies neither them nor r, so the caller must not
// change them. It is for authors of lock managers; others use [Request.Claims].
func (r *Request[N]) Parts() (few, more []Claim[N]) { return r.few[:r.n], r.more }
