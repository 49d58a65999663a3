package locktable

// A Step is a request on a circle of requests that wait for one another: each waits for the next,
// and the last one for the first. A grant and its widening are one request there: the grant.
type Step[N comparable, W any] struct {
	Request *Request[N, W]

	// Waiting is what waits in a queue for the next request: Request or its widening. It is nil if
	// the request waits for the next one in another way, which the caller of Circle knows.
	Waiting *Request[N, W]

	// For is what Waiting waits for: the next request or its widening.
	For *Request[N, W]

	// Why are the claims of For and Waiting that conflict.
	Why ConflictPair[N]
}

// Circle returns a circle that the waiting request a closes, beginning with a or the grant that a
// widens. It returns nil if there is none. Each circle is found that a is on, and each that is
// returned exists: no wait on it can end while its requests neither release nor give up.
//
// The queues say for which requests another one waits. The caller says the rest, in two ways:
//
//   - from are the granted requests that the caller of a holds meanwhile, in any table with the
//     same numbers. The grant that a widens need not be among them.
//   - up returns the requests that r, a waiting or granted one, keeps waiting in other ways: the
//     grants that the caller of r holds, and the grant that r is inside. It is called for a grant
//     and for its widening. It must not call the table. It may be nil.
//
// Circle searches backwards, breadth first, so the circle is a shortest one. It looks at each node
// use of each request that waits for from, directly or through other requests, and at each of their
// entries once. If no request waits for from it takes O(d).
func (t *Table[N, W]) Circle(a *Request[N, W], from []*Request[N, W], up func(r *Request[N, W]) []*Request[N, W]) []Step[N, W] {
	if !a.Waiting() {
		panic("BUG: treelock: Circle of a request that does not wait")
	}
	// A number of its own marks what this search has reached, so no mark has to be removed. Tables
	// of grants inside one another share numbers (NewInside): the search goes through all of them.
	t.searches++
	s := circleSearch[N, W]{number: t.searches, request: a, entries: t.admitted[:0]}
	s.reach(a.Widens(), link[N, W]{by: none})
	for _, r := range from {
		s.reach(r, link[N, W]{by: none})
	}
	// reached is the queue of a breadth-first search: visit appends to it.
	for i := 0; i < len(s.reached) && !s.closed; i++ {
		s.visit(i, up)
	}
	t.admitted = reuse(s.entries)
	if !s.closed {
		return nil
	}
	s.first.request = a
	if grant := a.Widens(); grant != nil {
		s.first.request = grant
	}
	return t.circle(&s)
}

// CircleTo returns a circle that a wait by no request closes: the caller holds the grants in from
// and waits for each request for which closes returns true. The circle begins with such a request
// and ends with one of from. It is nil if there is none. See [Table.Circle] for from and up.
func (t *Table[N, W]) CircleTo(
	from []*Request[N, W], up func(*Request[N, W]) []*Request[N, W], closes func(*Request[N, W]) bool,
) []Step[N, W] {
	t.searches++
	s := circleSearch[N, W]{number: t.searches, entries: t.admitted[:0]}
	for _, r := range from {
		s.reach(r, link[N, W]{by: none})
	}
	for i := 0; i < len(s.reached) && !s.closed; i++ {
		if s.closed = closes(s.reached[i].request); s.closed {
			s.first = s.reached[i]
		} else {
			s.visit(i, up)
		}
	}
	t.admitted = reuse(s.entries)
	if !s.closed {
		return nil
	}
	return t.circle(&s)
}

// A circleSearch looks for a request among those that wait for some others. It carries its number
// to each request that it reaches and to each list that it takes entries from.
type circleSearch[N comparable, W any] struct {
	number  uint64
	request *Request[N, W] // nil for CircleTo
	reached []link[N, W]   // a queue: the first are the ones that the search begins with
	entries []*entry[N, W] // scratch space

	closed bool
	first  link[N, W] // of the request that closes the circle, if closed
}

// A link says why the search has reached a request.
type link[N comparable, W any] struct {
	request *Request[N, W] // a widening counts as its grant
	by      int            // the index in reached of the one that it waits for, or none

	waiting *Request[N, W] // request or its widening; nil if it does not wait in a queue
	blocker blocker[N, W]  // what waiting waits for
}

// none is the index of no request.
const none = -1

// reach notes that the search has reached r, if that is not nil, unless it has reached it before.
func (s *circleSearch[N, W]) reach(r *Request[N, W], l link[N, W]) {
	if r == nil {
		return
	}
	if grant := r.Widens(); grant != nil {
		r = grant
	}
	if r.search != s.number {
		r.search = s.number
		l.request = r
		s.reached = append(s.reached, l)
	}
}

// visit reaches all requests that wait for the i-th reached one.
func (s *circleSearch[N, W]) visit(i int, up func(*Request[N, W]) []*Request[N, W]) {
	r := s.reached[i].request
	for _, part := range [...]*Request[N, W]{r, r.Widening()} {
		if part == nil || s.closed {
			return
		}
		for j := range part.uses {
			if part.uses[j].node.queue.HasWaiting() {
				s.visitUse(i, part, j)
			}
		}
		if up != nil {
			for _, next := range up(part) {
				s.reach(next, link[N, W]{by: i})
			}
		}
	}
}

// visitUse reaches all requests that wait for the j-th use of part, which is the i-th reached
// request or its widening.
func (s *circleSearch[N, W]) visitUse(i int, part *Request[N, W], j int) {
	// What is held keeps out all that wait in a conflicting mode, whatever their number. What is
	// only asked for keeps out later ones alone.
	use, after := &part.uses[j], uint64(0)
	if part.Waiting() {
		after = part.seq
	}
	s.entries = use.node.queue.TakeWaiters(s.number, use.mode, after, s.entries[:0])
	for _, e := range s.entries {
		w := e.Request()
		l := link[N, W]{by: i, waiting: w.request, blocker: blocker[N, W]{request: part, theirs: j, ours: w.use}}
		switch {
		case w.request != s.request:
			s.reach(w.request, l)
		// A widening does not wait for its own grant. It may wait here for another one, which the
		// search reaches later.
		case part == w.request.partner:
			use.node.queue.Untake(e)
		default:
			s.closed, s.first = true, l
			return
		}
	}
}

// circle returns the circle that s has found.
func (t *Table[N, W]) circle(s *circleSearch[N, W]) (steps []Step[N, W]) {
	// The links lead from start to what it waits for, and so on, to one of those that the search
	// began with.
	start := s.first.request
	for l := s.first; ; l = s.reached[l.by] {
		step := Step[N, W]{Request: l.request, Waiting: l.waiting, For: l.blocker.request}
		if l.waiting != nil {
			step.Why = t.conflictPair(l.waiting, l.blocker)
		}
		steps = append(steps, step)
		if l.by == none || s.reached[l.by].request == start {
			return steps
		}
	}
}
