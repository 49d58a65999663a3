package locktest

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/fuzz/internal/history"
	"github.com/treelock/treelock/internal/model"
)

// ways are the words for the ways of making a request: the command, and the bound of its context.
var ways = map[history.Way][2]string{
	history.Acquire:         {"acquire", ""},
	history.AcquireBrief:    {"acquire", "within 10ms "},
	history.AcquireEnded:    {"acquire", "within 0s "},
	history.Submit:          {"submit", ""},
	history.SubmitBrief:     {"submit", "within 10ms "},
	history.SubmitEnded:     {"submit", "within 0s "},
	history.SubmitNoReceive: {"no-receive", ""},
	history.Try:             {"try", ""},
}

// hostileWays replaces some ways in a hostile history.
var hostileWays = map[history.Way]string{
	history.AcquireBrief: "do", history.AcquireEnded: "do-panic", history.SubmitBrief: "do-exit", history.SubmitEnded: "acquire",
}

// request returns the command with which a client makes a request.
func (p *player[N]) request(op history.Op, s *seat[N]) string {
	verb, within := ways[op.Way][0], ways[op.Way][1]
	claims := p.claims(op.Request())
	if p.hostility != nil {
		if way, ok := hostileWays[op.Way]; ok {
			verb, within = way, ""
		}
		if op.Hostile() {
			within, claims = "under "+hostileCtx(op)+" ", hostileClaims(op)
		}
	}
	if verb == "try" && p.lock.TryAcquire == nil || strings.HasPrefix(verb, "do") && p.lock.Do == nil ||
		(verb == "submit" || verb == "no-receive") && p.lock.Submit == nil {
		verb = "acquire"
	}
	nest := ""
	if p.hostility == nil {
		verb, nest, claims = p.nest(op, verb, claims)
	}
	s.enters = p.name(op)
	return fmt.Sprintf("%s %s %s%s%s", verb, s.enters, nest, within, claims)
}

// deepest bounds the grants around a request.
const deepest = 2

// nest lets a request depend on the grant of another client, if op says so and there is one. It
// returns the verb, the words that say so, and the claims.
func (p *player[N]) nest(op history.Op, verb, claims string) (verbNow, words, claimsNow string) {
	owner := p.owner(op)
	if owner == nil || op.Nest == history.Alone {
		return verb, "", claims
	}
	if verb == "submit" || verb == "no-receive" {
		verb = "acquire" // inside a grant there are no tickets, and a ticket does not block
	}
	switch op.Nest {
	case history.Widen:
		if verb == "try" {
			return "try-widen", "of " + owner.name + " ", claims
		}
		words = "of " + owner.name + " "
		if op.Odd() {
			words += "under " + owner.name + " "
		}
		return "widen", words, claims
	case history.Inside:
		if owner.depth() < deepest {
			words = "inside " + owner.name + " "
			claims = p.claims(op.Narrower(p.paths(p.judge.World().Request(owner.name))))
		}
		if around := p.seats[op.Client].before; around != nil && op.Odd() {
			owner = around // most often over
		}
	}
	if verb == "acquire" && (op.Nest == history.Under || op.Odd()) {
		words += "under " + owner.name + " "
	}
	return verb, words, claims
}

// owner returns the other client of op with a grant that others can depend on, or one whose grant
// is over, or nil.
func (p *player[N]) owner(op history.Op) *client[N] {
	s := &p.seats[op.Other()]
	for _, c := range []*client[N]{s.now, s.before} {
		if c != nil && c.handle() != (treelock.Grant[N]{}) {
			return c
		}
	}
	return nil
}

// depth returns the number of grants that the grant of c is inside.
func (c *client[N]) depth() (depth int) {
	for ; c.inside != nil; c = c.inside {
		depth++
	}
	return depth
}

// claims returns the words for a request of a history.
func (p *player[N]) claims(req treelock.Request[path]) string {
	var claims []treelock.Claim[path]
	for c := range req.Claims() {
		if p.tree.top != "" {
			c.Node = path(strings.TrimSuffix(p.tree.top+string(c.Node), "/"))
		}
		claims = append(claims, c)
	}
	return Claims(model.Of(claims...))
}

// hostileClaims returns the words for the claims that op makes of hostile nodes. Harmful nodes are
// rare, since most requests would fail.
func hostileClaims(op history.Op) string {
	words := []string{"nothing"}
	for i, claim := range op.Claims {
		if claim&128 != 0 {
			continue
		}
		verb := []string{"write", "read", "write-node", "read-node"}[claim&3]
		kind, rare := nodeKinds[int(claim>>2)%len(nodeKinds)], claim&64 != 0 && op.Extra[i]&4 != 0
		if !rare && (kind.want != nil || kind.name == "stopper") || kind.name == "stopper" && op.Extra[i]&24 != 0 {
			kind = nodeKinds[0]
		}
		words = append(words, verb, fmt.Sprintf("%s+%d", kind.name, int(op.Extra[i]>>5)%(maxAbove+1)))
	}
	return strings.Join(words, " ")
}

// hostileCtx returns the kind of the context of op, plain in half of all cases.
func hostileCtx(op history.Op) string {
	return ctxKinds[max(0, int(op.Extra[3])%(2*len(ctxKinds))-len(ctxKinds))].name
}

// paths is the inverse of claims, for a request of ordinary nodes.
func (p *player[N]) paths(req treelock.Request[N]) treelock.Request[path] {
	var claims []treelock.Claim[path]
	for c := range req.Claims() {
		node := path(strings.TrimPrefix(p.tree.word(c.Node), p.tree.top))
		claims = append(claims, treelock.Claim[path]{Node: cmp.Or(node, "/"), Scope: c.Scope, Access: c.Access})
	}
	return model.Of(claims...)
}
