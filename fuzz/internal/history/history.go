// Package history makes histories of clients of a lock out of bytes, for fuzzing. Every sequence of
// bytes is a history. The meaning of a byte does not depend on the effects of earlier ones, so a
// fuzzer that changes a byte changes one thing.
package history

import (
	"strings"

	"github.com/treelock/treelock"
)

type (
	path    = treelock.Path
	request = treelock.Request[treelock.Path]
)

// World is a small tree that has every relation between two nodes: equal, above, below, beside, in
// different branches, far down.
var World = []treelock.Path{"/", "/a", "/a/x", "/a/x/1", "/a/y", "/b", "/b/z", "/b/z/1/2/3/4/5/6/7/8/9"}

const (
	Clients = 6  // that are in a history, each with one request at a time
	maxOps  = 96 // of one history; later bytes are ignored
	opSize  = 5  // bytes of an op: a verb, a client and a way, three claims

	extraSize = 4 // more bytes of an op of a hostile history
)

// A Verb says what a client does.
type Verb uint8

const (
	Next     Verb = iota // it makes a request; if it waits, it cancels; if it holds, it releases
	Narrow               // it narrows what it holds
	Receive              // it begins to receive from its ticket
	Again                // it releases, or narrows, what it held before
	Withdraw             // it withdraws its ticket or ends its context, even if it holds
	Pass                 // time passes, and contexts end
	Drain                // it drains the lock
	Stop                 // the lock is stopped
	Token                // it reads its token
	Burst                // many calls make the empty request at once
)

// verbs has a verb for each value of a byte, modulo its length, the frequent ones more often.
var verbs = []Verb{
	Next, Next, Next, Next, Next, Next, Next, Next, Next, Next, Next, Next, Next, Next, Next, Next,
	Narrow, Narrow, Narrow, Narrow, Narrow, Receive, Receive, Receive, Again, Again, Withdraw, Burst, Pass, Token, Drain, Stop,
}

// A Way is a way of making a request.
type Way uint8

const (
	Acquire         Way = iota
	Submit              // and receive from the ticket
	SubmitNoReceive     // and not receive from it, until a Receive
	Try                 //
	AcquireBrief        // with a context that ends soon
	AcquireEnded        // with a context that has ended
	SubmitEnded         // with a context that has ended
	SubmitBrief         // with a context that ends soon, which makes no difference
)

// ways has a way for each value of four bits.
var ways = [16]Way{
	Acquire, Acquire, Acquire, SubmitBrief, Submit, Submit, Submit, SubmitNoReceive, SubmitNoReceive, SubmitNoReceive, Try, Try,
	AcquireBrief, AcquireBrief, AcquireEnded, SubmitEnded,
}

// A Nest says how what a client does depends on the grant of another client.
type Nest uint8

const (
	Alone  Nest = iota
	Inside      // its request is inside that grant
	Under       // its context carries that grant
	Widen       // it widens that grant
)

// An Op is one thing that a client does.
type Op struct {
	Verb     Verb
	Nest     Nest
	Together bool // at the same time as the next op
	Client   int
	Way      Way
	Claims   [3]byte
	Extra    [4]byte // of a hostile history: for the nodes of the claims, and for the context
}

// A History is what some clients do with a lock, and the options of the lock.
type History struct {
	MaxWaiting int // negative: no limit
	IdleNodes  int // negative: any
	FirstToken uint64
	MaxDepth   int // 0: any
	Ops        []Op
}

// Decode returns the history that data encodes. The first byte is for the options.
func Decode(data []byte) History { return decode(data, opSize) }

// DecodeHostile returns the history that data encodes, in which half of the clients misbehave.
func DecodeHostile(data []byte) History {
	h := decode(data, opSize+extraSize)
	h.MaxDepth = 6
	if len(data) > 0 && data[0]>>6&1 != 0 {
		h.MaxDepth = 9
	}
	return h
}

func decode(data []byte, size int) History {
	h := History{MaxWaiting: -1, IdleNodes: -1}
	if len(data) == 0 {
		return h
	}
	if limit := int(data[0] & 7); limit < 3 {
		h.MaxWaiting = limit
	} else if limit == 3 {
		h.MaxWaiting = Clients - 2
	}
	if idle := int(data[0] >> 3 & 3); idle < 3 {
		h.IdleNodes = idle
	}
	if data[0]>>5&1 != 0 {
		h.FirstToken = 1000
	}
	for rest := data[1:]; len(rest) > 0 && len(h.Ops) < maxOps; {
		var op [opSize + extraSize]byte
		rest = rest[copy(op[:size], rest):]
		h.Ops = append(h.Ops, Op{
			Verb:     verbs[int(op[0])%len(verbs)],
			Nest:     Nest(op[0] >> 5 & 3),
			Together: op[0]&128 != 0,
			Client:   int(op[1]&15) % Clients,
			Way:      ways[op[1]>>4],
			Claims:   [3]byte(op[2:]),
			Extra:    [4]byte(op[opSize:]),
		})
	}
	return h
}

// everywhere is the first claim of a request that claims every node of World.
const everywhere = 255

// Odd reports something that is true of half of all ops, for further choices.
func (op Op) Odd() bool { return op.Claims[0]&1 != 0 }

// Other returns another client.
func (op Op) Other() int { return (op.Client + 1 + int(op.Claims[1]>>4)%(Clients-1)) % Clients }

// Hostile reports whether the client of op is hostile, in a hostile history.
func (op Op) Hostile() bool { return op.Client >= Clients/2 }

// Request returns the request of op: up to three claims anywhere in World, or one everywhere.
func (op Op) Request() (req treelock.Request[treelock.Path]) {
	if op.Claims[0] == everywhere {
		return req.ReadNode(World...)
	}
	for _, claim := range op.Claims {
		if claim&128 != 0 {
			continue // so that there are also fewer
		}
		node := World[int(claim>>2)%len(World)]
		switch claim & 3 {
		case 0:
			req = req.Write(node)
		case 1:
			req = req.Read(node)
		case 2:
			req = req.WriteNode(node)
		case 3:
			req = req.ReadNode(node)
		}
	}
	return req
}

// Narrower returns the request that op narrows held to. It lies inside held, most often.
func (op Op) Narrower(held treelock.Request[treelock.Path]) (req treelock.Request[treelock.Path]) {
	if op.Way == Try {
		return op.Request() // most often something else
	}
	i := 0
	for c := range held.Claims() {
		choice := op.Claims[i%len(op.Claims)]
		i++
		if choice&128 == 0 {
			req = weaker(req, c, choice)
		}
	}
	return req
}

// weaker adds to req a claim that lies inside c, by choice.
func weaker(req request, c treelock.Claim[path], choice byte) request {
	node := c.Node
	if below := World[int(choice>>2)%len(World)]; c.Scope == treelock.Subtree && inside(below, node) {
		node = below
	}
	only := c.Scope == treelock.NodeOnly || choice&1 != 0
	shared := c.Access == treelock.Shared || choice&2 != 0
	switch {
	case only && shared:
		return req.ReadNode(node)
	case only:
		return req.WriteNode(node)
	case shared:
		return req.Read(node)
	}
	return req.Write(node)
}

func inside(node, top path) bool {
	return node == top || top == "/" || strings.HasPrefix(string(node), string(top)+"/")
}
