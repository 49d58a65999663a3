package clustertest

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/treelock/treelock"
)

// An Event is a line of the trace of a worker. All times are those of [Now].
type Event struct {
	Kind   string        `json:"kind"`
	Client int           `json:"client"`
	Number int           `json:"number"` // of the request of that client
	At     time.Duration `json:"at"`
	Token  uint64        `json:"token,omitempty"`
	Claims []Claim       `json:"claims,omitempty"`
	Error  string        `json:"error,omitempty"`
	Lost   bool          `json:"lost,omitempty"` // it ended because it was lost
	Took   time.Duration `json:"took,omitempty"` // from Asked to Granted or Failed
}

// The kinds of events. The time of Asked, Narrowed and Ended is before the call, and that of
// Granted and Failed after it. So what a trace shows as held was held.
const (
	Asked    = "asked"
	Granted  = "granted"
	Narrowed = "narrowed"
	Ended    = "ended"
	Failed   = "failed"
)

// A Claim is a claim in a trace.
type Claim = treelock.Claim[treelock.Path]

// covers reports whether a node lies in the region of c.
func covers(c Claim, node treelock.Path) bool {
	return c.Node == node || c.Scope == treelock.Subtree && c.Node.Contains(node)
}

// ReadTrace reads the trace of a worker. The last line of a worker that was killed may be cut.
func ReadTrace(file string) (events []Event, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var e Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			break
		}
		events = append(events, e)
	}
	return events, nil
}

// A Span is the time during which a request held these claims for certain.
type Span struct {
	Worker string
	Token  uint64
	Claims []Claim
	From   time.Duration
	To     time.Duration
}

// A Pause is a time during which a worker did not run: it was stopped, or killed for good.
type Pause struct{ From, To time.Duration }

// Forever is the end of the pause of a worker that was killed, and of what it held.
const Forever = time.Duration(1<<63 - 1)

// Spans returns what a worker has held. A span that reaches into a pause ends there, and one that
// begins in a pause is left out: what a process does when it goes on, before it looks at its clock,
// no lock can prevent. See [Register].
func Spans(worker string, events []Event, pauses []Pause) (spans []Span) {
	type id struct{ client, number int }
	open := map[id]Span{}
	end := func(s Span, at time.Duration) {
		s.To = at
		for _, p := range pauses {
			switch {
			case s.From >= p.To || s.To <= p.From:
			case s.From >= p.From:
				return
			default:
				s.To = p.From
			}
		}
		spans = append(spans, s)
	}
	for _, e := range events {
		key := id{e.Client, e.Number}
		s, known := open[key]
		switch {
		case e.Kind == Granted:
			open[key] = Span{Worker: worker, Token: e.Token, Claims: e.Claims, From: e.At}
		case e.Kind == Narrowed && known:
			end(s, e.At)
			s.From, s.Claims = e.At, e.Claims
			open[key] = s
		case e.Kind == Ended && known:
			end(s, e.At)
			delete(open, key)
		}
	}
	for _, s := range open {
		end(s, Forever)
	}
	return spans
}

// Check returns what is wrong with spans of all workers of a prefix: of two requests that conflict,
// the one with the larger token must have been granted after the other one ended, and no two
// requests have the same token.
//
// The regions of two claims share a node only if they share one that a claim names. So it is enough
// to know, for each named node, until when it was read and written by smaller tokens.
func Check(spans []Span) (wrong []string) {
	var nodes []treelock.Path
	for _, s := range spans {
		for _, c := range s.Claims {
			nodes = append(nodes, c.Node)
		}
	}
	slices.Sort(nodes)
	nodes = slices.Compact(nodes)
	slices.SortStableFunc(spans, func(a, b Span) int {
		return cmp.Or(cmp.Compare(a.Token, b.Token), cmp.Compare(a.From, b.From))
	})
	read, written := make([]Span, len(nodes)), make([]Span, len(nodes))
	for len(spans) > 0 {
		n := 1
		for n < len(spans) && spans[n].Token == spans[0].Token {
			if spans[n].From < spans[n-1].To || spans[n].Worker != spans[0].Worker {
				wrong = append(wrong, fmt.Sprintf("two requests have one token: %v and %v", spans[0], spans[n]))
			}
			n++
		}
		for _, s := range spans[:n] {
			wrong = append(wrong, s.conflicts(nodes, read, written)...)
		}
		for _, s := range spans[:n] {
			s.enter(nodes, read, written)
		}
		spans = spans[n:]
	}
	return wrong
}

// uses returns which of the nodes s reads or writes.
func (s Span) uses(node treelock.Path) (reads, writes bool) {
	for _, c := range s.Claims {
		if covers(c, node) {
			reads, writes = true, writes || c.Access == treelock.Exclusive
		}
	}
	return reads, writes
}

// conflicts returns the spans of smaller tokens that had not ended when s began.
func (s Span) conflicts(nodes []treelock.Path, read, written []Span) (wrong []string) {
	for i, node := range nodes {
		reads, writes := s.uses(node)
		if reads && written[i].To >= s.From {
			wrong = append(wrong, fmt.Sprintf("at %s: %v was granted before %v ended", node, s, written[i]))
		}
		if writes && read[i].To >= s.From {
			wrong = append(wrong, fmt.Sprintf("at %s: %v was granted before %v ended", node, s, read[i]))
		}
	}
	return wrong
}

// enter notes until when s uses its nodes.
func (s Span) enter(nodes []treelock.Path, read, written []Span) {
	for i, node := range nodes {
		reads, writes := s.uses(node)
		if reads && s.To > read[i].To {
			read[i] = s
		}
		if writes && s.To > written[i].To {
			written[i] = s
		}
	}
}
