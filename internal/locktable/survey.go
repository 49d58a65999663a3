package locktable

// A Survey records the requests that are live at its start, step by step, while the table changes.
// It visits the slots of the storage in order. A request that is about to end, change or move
// before its visit is recorded first, as in a garbage collector that marks from a snapshot.
//
//	slots     0 1 2 3 | 4 5 6 7
//	          visited | next      an End of the request in slot 6 records it first
//
// A request that arrives after the start is not recorded: its number is larger than that of the
// latest request at the start.
//
// A survey covers all tables that were made by [Table.NewInside] of one another: its start is one
// moment for all of them. The caller steps through each of them in turn. A table that is emptied
// before its turn needs none, as its requests were recorded when they ended. All of these tables
// together run one survey at a time.
type Survey[N comparable, W any] struct {
	// record is called once for each request, with its state at the start. It returns the work that
	// this took, in units of a visit.
	record func(r *Request[N, W], waiting bool) (work int)

	last     uint64          // the latest request at the start
	recorded map[uint64]bool // the requests that were recorded before their visit
}

// surveying is the survey that is under way, nil if there is none. Tables that were made by
// [Table.NewInside] of one another share it.
type surveying[N comparable, W any] struct{ survey *Survey[N, W] }

// visits is how far a survey has come in one table.
type visits[N comparable, W any] struct {
	survey *Survey[N, W]
	next   int // the first slot that survey has not visited
}

// BeginSurvey starts a survey. It abandons a survey that is under way.
func (t *Table[N, W]) BeginSurvey(record func(r *Request[N, W], waiting bool) (work int)) *Survey[N, W] {
	t.surveying.survey = &Survey[N, W]{record: record, last: t.lastSeq, recorded: make(map[uint64]bool)}
	return t.surveying.survey
}

// StepSurvey advances s in t by about that much work. It returns the work that is left, which is
// positive if s is complete in t. Small steps let a caller handle other calls between them, so that
// a survey of many requests delays none of them much.
func (t *Table[N, W]) StepSurvey(s *Survey[N, W], work int) (left int) {
	t.begin(s)
	for ; work > 0 && t.visits.next < len(t.storage.requests); t.visits.next++ {
		r := t.storage.requests[t.visits.next]
		work -= 1 + s.visit(r, r.blocked > 0)
	}
	if t.visits.next < len(t.storage.requests) {
		return 0
	}
	return max(work, 1)
}

// begin makes s the survey of t's visits.
func (t *Table[N, W]) begin(s *Survey[N, W]) {
	if t.visits.survey != s {
		t.visits = visits[N, W]{survey: s}
	}
}

// EndSurvey ends s, complete or not. It does not affect a later survey. It may be called for any of
// the tables.
func (t *Table[N, W]) EndSurvey(s *Survey[N, W]) {
	if t.surveying.survey == s {
		t.surveying.survey = nil
	}
}

// Surveyed reports whether a survey is under way.
func (t *Table[N, W]) Surveyed() bool { return t.surveying.survey != nil }

// visit records r, unless it arrived after the start or was recorded before.
func (s *Survey[N, W]) visit(r *Request[N, W], waiting bool) (work int) {
	if r.seq == 0 || r.seq > s.last || s.recorded[r.seq] {
		return 0
	}
	return s.record(r, waiting)
}

// beforeChange records r, which is about to end, change or move, if its visit is still to come.
// Each change must be preceded by this call. Without a survey it is inlined and costs a comparison.
func (t *Table[N, W]) beforeChange(r *Request[N, W], waiting bool) {
	if t.surveying.survey != nil {
		t.recordEarly(r, waiting)
	}
}

// recordEarly records r before its visit, unless it was visited or arrived after the start. It
// notes the number, not the request: the storage of an ended request may be reused before the
// visit.
func (t *Table[N, W]) recordEarly(r *Request[N, W], waiting bool) {
	s := t.surveying.survey
	t.begin(s)
	if int(r.slot) >= t.visits.next && r.seq <= s.last {
		s.visit(r, waiting)
		s.recorded[r.seq] = true
	}
}
