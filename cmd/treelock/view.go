package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/nodetext"
	"github.com/treelock/treelock/manager"
)

// A view is what a process knows of all live requests of the tree. Its JSON is that of treelock ls.
type view struct {
	Taken   time.Time     `json:"taken"`
	Holders []liveRequest `json:"holders"` // by token
	Waiters []liveRequest `json:"waiters"` // by token: the order in which they came
}

// A liveRequest is a request that holds or waits. Its JSON is the same in all commands.
type liveRequest struct {
	Token   uint64         `json:"token"` // the same in all processes, and the same while it waits
	State   treelock.State `json:"state"` // holding or waiting
	Process string         `json:"process"`
	Own     bool           `json:"own,omitempty"` // of mcp: it is a reservation of this server
	Label   string         `json:"label,omitempty"`
	// Since is when it began to hold, or to wait. If that was before this process began to look, it
	// is when the request was made, by the clock of its process: a holder may have waited since. It
	// is left out if that process has written no time.
	Since  time.Time   `json:"since,omitzero"`
	Claims []claimInfo `json:"claims"`

	// BlockedBy has the tokens of the earliest requests that it waits for, and More says how many
	// more there are at least.
	BlockedBy []uint64 `json:"blocked_by,omitempty"`
	More      int      `json:"more,omitempty"`

	number uint64 // in the manager of this process
}

// A claimInfo is a claim as all commands write it.
type claimInfo struct {
	Access string         `json:"access"` // read or write
	Scope  treelock.Scope `json:"scope"`  // subtree or node
	Path   treelock.Path  `json:"path"`
}

func infoOf(c treelock.Claim[treelock.Path]) claimInfo {
	access := "read"
	if c.Access == treelock.Exclusive {
		access = "write"
	}
	return claimInfo{access, c.Scope, c.Node}
}

func (c claimInfo) claim() treelock.Claim[treelock.Path] {
	access := treelock.Shared
	if c.Access == "write" {
		access = treelock.Exclusive
	}
	return treelock.Claim[treelock.Path]{Node: c.Path, Scope: c.Scope, Access: access}
}

func infosOf(req treelock.Request[treelock.Path]) []claimInfo {
	infos := make([]claimInfo, 0, req.Len())
	for c := range req.Claims() {
		infos = append(infos, infoOf(c))
	}
	return infos
}

// request returns the claims as one request.
func (r liveRequest) request() treelock.Request[treelock.Path] {
	claims := make([]treelock.Claim[treelock.Path], len(r.Claims))
	for i, c := range r.Claims {
		claims[i] = c.claim()
	}
	return treelock.For[treelock.Path]().With(claims...)
}

// viewOf returns the view that a snapshot shows. self is the name of this process.
func viewOf(s *manager.Snapshot[treelock.Path], self string) *view {
	tokens := make(map[uint64]uint64)
	for r := range s.All() {
		tokens[r.Number] = r.Token
	}
	list := func(requests []manager.RequestInfo[treelock.Path]) []liveRequest {
		all := []liveRequest{} // [] in JSON, if there are none
		for _, r := range requests {
			live := liveRequest{
				Token: r.Token, State: r.State, Process: r.Process, Label: r.Label, Since: r.Since, More: r.More, number: r.Number,
			}
			if r.Process == "" {
				live.Process, live.Own = self, true
			}
			if r.Older {
				live.Since = time.Time{}
			}
			for _, c := range r.Claims {
				live.Claims = append(live.Claims, infoOf(c))
			}
			for _, number := range r.BlockedBy {
				live.BlockedBy = append(live.BlockedBy, tokens[number])
			}
			all = append(all, live)
		}
		slices.SortFunc(all, func(a, b liveRequest) int { return cmp.Compare(a.Token, b.Token) })
		return all
	}
	return &view{Taken: s.Taken, Holders: list(s.Holders), Waiters: list(s.Waiters)}
}

// all returns the holders, then the waiters.
func (v *view) all() []liveRequest { return slices.Concat(v.Holders, v.Waiters) }

// byToken returns the requests by their tokens.
func (v *view) byToken() map[uint64]liveRequest {
	requests := make(map[uint64]liveRequest)
	for _, r := range v.all() {
		requests[r.Token] = r
	}
	return requests
}

// within returns the view without the requests that share no node with the subtree of path.
func (v *view) within(path treelock.Path) *view {
	subtree := treelock.Write(path)
	outside := func(r liveRequest) bool { return !r.request().Conflicts(subtree) }
	return &view{v.Taken, slices.DeleteFunc(slices.Clone(v.Holders), outside), slices.DeleteFunc(slices.Clone(v.Waiters), outside)}
}

// describe describes a request on one line, whatever its texts are.
func (r liveRequest) describe(now time.Time) string {
	label := ""
	if r.Label != "" {
		label = ", " + nodetext.Quote(r.Label, treelock.MaxLabel)
	}
	return fmt.Sprintf("%s (token %d%s, %v, %v%s)",
		nodetext.Line(r.Process, treelock.MaxLabel), r.Token, label, r.request(), r.State, r.age(now, " for "))
}

// age returns how long it has been in its state, in whole seconds, with a text before. If that is
// not known, it returns nothing.
func (r liveRequest) age(now time.Time, before string) string {
	if r.Since.IsZero() {
		return ""
	}
	return before + max(now.Sub(r.Since), 0).Truncate(time.Second).String()
}
