package trace

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/model"
)

// Options are those of a manager that change what it answers.
type Options struct {
	MaxWaiting int // negative: no limit
	FirstToken uint64
}

// Beyond these a replay no longer follows its manager, until nothing is live there: the model takes
// the time of all pairs of claims.
const (
	maxLive   = 48 // requests
	maxClaims = 64 // of a request
)

// maxLost is how many revoked grants a manager remembers until they are released.
const maxLost = 4096

// kept is how many steps a replay keeps, for its error.
const kept = 24

// A Replay is the state that a manager must be in. Get one from [New].
type Replay[N comparable] struct {
	options Options
	forest  forest[N]
	scopes  map[uint64]*model.Model[node[N]] // by the grant around it, or 0
	live    map[uint64]*request

	lastNumber uint64 // of a request, if it is known
	known      bool
	nextToken  uint64   // 0 if it is not known
	lost       []uint64 // revoked grants that were not released since
	draining   bool
	blind      bool // it does not follow the manager
	anyLost    bool // it has been blind, so any grant that is over may be lost

	suspends []Suspend // in the current step

	want  Answer // of the current step
	steps []Step[N]
}

// A request is what the model does not know of a live request.
type request struct {
	inside   uint64   // the number of the grant around it, or 0
	widens   uint64   // the number of the grant, of a widening
	widening uint64   // that waits, of a grant
	under    []uint64 // the grants that the caller holds, while it waits
	released bool     // it lives on for grants inside it
	oldest   uint64   // its first token
	token    uint64   // its latest one
}

// New returns the replay of a manager that has done nothing yet.
func New[N comparable](o Options) *Replay[N] {
	r := &Replay[N]{options: o, forest: forest[N]{}, known: true, nextToken: o.FirstToken}
	r.clear()
	return r
}

// clear forgets all requests.
func (r *Replay[N]) clear() {
	clear(r.forest)
	r.scopes = map[uint64]*model.Model[node[N]]{0: {}}
	r.live = map[uint64]*request{}
}

// Blind reports whether the claims of steps are not looked at now.
func (r *Replay[N]) Blind() bool { return r.blind }

// Do replays a step. It returns an error if the manager did not do what the model does. The error
// has the latest steps. The replay keeps s.Claims.
func (r *Replay[N]) Do(s Step[N]) error {
	if s.Kind == Inspect {
		return nil
	}
	r.steps = append(r.steps, s)
	if len(r.steps) > 2*kept {
		r.steps = append(r.steps[:0], r.steps[kept:]...)
	}
	if s.Kind == Drain {
		r.draining = true
	}
	req, ok := r.forest.request(s.Claims)
	if r.blind || !ok || s.Live > maxLive || len(s.Claims) > maxClaims {
		r.close(&s)
		return nil
	}
	r.want, r.suspends = Answer{}, s.Suspends
	r.next(&s, req)
	if len(r.forest) > maxPlaces {
		r.prune()
	}
	if why := r.compare(&s); why != "" {
		return errors.New(r.report(why))
	}
	return nil
}

// close makes the replay blind while requests are live.
func (r *Replay[N]) close(s *Step[N]) {
	if !r.blind {
		r.clear()
	}
	r.anyLost = true
	if r.blind = s.Live > 0; !r.blind {
		r.known, r.nextToken, r.lost = false, 0, nil
	}
}

// prune removes the nodes that no live request names.
func (r *Replay[N]) prune() {
	var requests []treelock.Request[node[N]]
	for n := range r.live {
		requests = append(requests, r.request(n))
	}
	r.forest.keep(requests)
}

// compare returns what is wrong with the answer to a step, or "".
func (r *Replay[N]) compare(s *Step[N]) string {
	want, got := &r.want, &s.Answer
	switch {
	case (want.Err == nil) != (got.Err == nil) || want.Err != nil && !errors.Is(got.Err, want.Err):
	case want.Arrived != got.Arrived:
	case !sameNumbers(want.Granted, got.Granted, func(g Grant) uint64 { return g.Number }):
	case !sameNumbers(want.Failed, got.Failed, func(f Failure) uint64 { return f.Number }):
	case !sameNumbers(want.Ended, got.Ended, func(n uint64) uint64 { return n }):
	default:
		if why := r.compareErrors(got); why != "" {
			return why
		}
		if why := r.compareTokens(got); why != "" {
			return why
		}
		return r.compareState(s)
	}
	return "the model says " + want.String()
}

// compareErrors checks why requests failed.
func (r *Replay[N]) compareErrors(got *Answer) string {
	for _, w := range r.want.Failed {
		for _, f := range got.Failed {
			if f.Number == w.Number && w.Err != nil && !errors.Is(f.Err, w.Err) {
				return fmt.Sprintf("#%d must fail as %s", w.Number, className(w.Err))
			}
		}
	}
	return ""
}

// compareTokens checks the tokens of the grants of a step. Each takes the next one. A grant inside
// another one takes a token that this one has had.
func (r *Replay[N]) compareTokens(got *Answer) string {
	for _, g := range got.Granted {
		q := r.live[g.Number]
		if q == nil {
			return fmt.Sprintf("#%d is over", g.Number)
		}
		low, high := r.nextToken, r.nextToken
		if q.inside != 0 {
			around := r.live[q.inside]
			low, high = around.oldest, around.token
			for ; around.inside != 0; around = r.live[around.inside] {
				high = max(high, r.live[around.inside].token)
			}
		} else if r.nextToken == 0 {
			low, high = 0, g.Token
		}
		if g.Token < low || g.Token > high || g.Token < q.token {
			return fmt.Sprintf("the token of #%d must be between %d and %d", g.Number, low, high)
		}
		if q.inside == 0 {
			r.nextToken = g.Token + 1
		}
		if q.oldest == 0 {
			q.oldest = g.Token
		}
		q.token = g.Token
	}
	return ""
}

// compareState checks what the manager counts after a step.
func (r *Replay[N]) compareState(s *Step[N]) string {
	if s.Kind == Stop {
		return ""
	}
	drained := r.draining && len(r.live) == 0
	if s.Live != len(r.live) || s.Waiting != r.waiting() || s.Drained != drained {
		return fmt.Sprintf("the model has %d live, %d waiting, drained=%t", len(r.live), r.waiting(), drained)
	}
	if drained {
		saw(Drained)
	}
	return ""
}

// report returns the text of a difference.
func (r *Replay[N]) report(why string) string {
	var b strings.Builder
	b.WriteString("the manager does not do what the model does:")
	first := max(0, len(r.steps)-kept)
	for i := first; i < len(r.steps); i++ {
		b.WriteString("\n\t" + r.steps[i].String())
	}
	b.WriteString("\nafter the last step, " + why)
	return b.String()
}

// sameNumbers reports whether two lists have the same numbers, in any order.
func sameNumbers[E any](a, b []E, number func(E) uint64) bool {
	numbers := func(list []E) (all []uint64) {
		for _, e := range list {
			all = append(all, number(e))
		}
		slices.Sort(all)
		return all
	}
	return slices.Equal(numbers(a), numbers(b))
}

// waiting returns how many requests wait.
func (r *Replay[N]) waiting() (n int) {
	for _, m := range r.scopes {
		n += m.Waiting()
	}
	return n
}

// name returns the name of a request in a model.
func name(n uint64) string { return strconv.FormatUint(n, 10) }

// number is the reverse of name.
func number(name string) uint64 {
	n, err := strconv.ParseUint(name, 10, 64)
	if err != nil {
		panic("BUG: treelock: " + err.Error())
	}
	return n
}

// scopeOf returns the model that a live request is in.
func (r *Replay[N]) scopeOf(n uint64) *model.Model[node[N]] { return r.scopes[r.live[n].inside] }

// request returns what a live request holds or asks for.
func (r *Replay[N]) request(n uint64) treelock.Request[node[N]] { return r.scopeOf(n).Request(name(n)) }

// granted reports whether a request is live and granted, as a grant that lives on for others is.
func (r *Replay[N]) granted(n uint64) bool { return r.live[n] != nil && r.scopeOf(n).Granted(name(n)) }

// isWaiting reports whether a request is live and waits.
func (r *Replay[N]) isWaiting(n uint64) bool { return r.live[n] != nil && !r.granted(n) }

// isHeld reports whether a request is granted and was not released.
func (r *Replay[N]) isHeld(n uint64) bool { return r.granted(n) && !r.live[n].released }

// inside returns the numbers of the live requests inside a grant, by arrival.
func (r *Replay[N]) inside(n uint64) (numbers []uint64) {
	if m := r.scopes[n]; m != nil {
		for _, name := range m.Live() {
			numbers = append(numbers, number(name))
		}
	}
	return numbers
}
