package locktable

// A Survey records the requests that are live at its start, step by step, while the table changes.
// It visits the slots of the storage in order. A request that is about to end, change or move
// before its visit is recorded first, as in a garbage collector that marks from a snapshot.
//
//	slots     0 1 2 3 | 4 5 6 7
//	          visited | next      an End of the request in slot 6 records it first
//
// A request that arrives after the start is not recorded: its number is larger than that of the
// latest request at the start. A table runs one survey at a time.
type Survey[N comparable, W any] struct {
	// record is called once for each request, with its state at the start. It returns the work that
	// this took, in units of a visit.
	record func(r *Request[N, W], waiting bool) (work int)

	last     uint64          // the latest request at the start
	next     int             // the first slot that was not visited
	recorded map[uint64]bool // the requests that were recorded before their visit
}

// BeginSurvey starts a survey. It abandons a survey that is under way.
func (t *Table[N, W]) BeginSurvey(record func(r *Request[N, W], waiting bool) (work int)) *Survey[N, W] {
	t.survey = &Survey[N, W]{record: record, last: t.lastSeq, recorded: make(map[uint64]bool)}
	return t.survey
}

// StepSurvey advances s by about that much work, and reports whether s is complete. Small steps let
// a caller handle other calls between them, so that a survey of many requests delays none of them
// much.
func (t *Table[N, W]) StepSurvey(s *Survey[N, W], work int) (over bool) {
	for ; work > 0 && s.next < len(t.storage.requests); s.next++ {
		r := t.storage.requests[s.next]
		work -= 1 + s.visit(r, r.blocked > 0)
	}
	if over = s.next == len(t.storage.requests); over {
		t.EndSurvey(s)
	}
	return over
}

// EndSurvey ends s, complete or not. It does not affect a later survey.
func (t *Table[N, W]) EndSurvey(s *Survey[N, W]) {
	if t.survey == s {
		t.survey = nil
	}
}

// Surveyed reports whether a survey is under way.
func (t *Table[N, W]) Surveyed() bool { return t.survey != nil }

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
	if t.survey != nil {
		t.survey.recordEarly(r, waiting)
	}
}

// recordEarly records r before its visit, unless it was visited or arrived after the start. It
// notes the number, not the request: the storage of an ended request may be reused before the
// visit.
func (s *Survey[N, W]) recordEarly(r *Request[N, W], waiting bool) {
	if int(r.slot) >= s.next && r.seq <= s.last {
		s.visit(r, waiting)
		s.recorded[r.seq] = true
	}
}
