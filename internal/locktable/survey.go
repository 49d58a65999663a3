package locktable

// A Survey records the requests that were live at one moment, its beginning, while the table goes on
// changing. Its client takes it step by step. It visits the storage of all requests in order; a request
// that is about to end, to change or to move in the storage before its visit is recorded first. (A
// garbage collector that marks from a snapshot does the same.)
//
// A table takes one survey at a time.
type Survey[N comparable, W any] struct {
	// record is told of each request once, as it was at the beginning, and returns how much work that
	// was, in units of a visit.
	record func(r *Request[N, W], waiting bool) (work int)

	last     uint64          // the latest request at the beginning
	next     int             // the first index in the storage that was not visited
	recorded map[uint64]bool // the requests that were recorded before their visit
}

// BeginSurvey begins a survey, and abandons one that is under way.
func (t *Table[N, W]) BeginSurvey(record func(r *Request[N, W], waiting bool) (work int)) *Survey[N, W] {
	t.survey = &Survey[N, W]{record: record, last: t.lastSeq, recorded: make(map[uint64]bool)}
	return t.survey
}

// StepSurvey takes s further by about so much work, and reports whether it is at its end.
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

// EndSurvey ends s, at its end or before. It has no effect on another survey that has begun since.
func (t *Table[N, W]) EndSurvey(s *Survey[N, W]) {
	if t.survey == s {
		t.survey = nil
	}
}

// Surveyed reports whether a survey is under way.
func (t *Table[N, W]) Surveyed() bool { return t.survey != nil }

// visit records r, unless it is not part of the survey or was recorded early.
func (s *Survey[N, W]) visit(r *Request[N, W], waiting bool) (work int) {
	if r.seq == 0 || r.seq > s.last || s.recorded[r.seq] {
		return 0
	}
	return s.record(r, waiting)
}

// beforeChange records r, which is about to end or change, if its visit is still to come. Where there
// is no survey it is inlined, and costs a comparison.
func (t *Table[N, W]) beforeChange(r *Request[N, W], waiting bool) {
	if t.survey != nil {
		t.survey.recordEarly(r, waiting)
	}
}

func (s *Survey[N, W]) recordEarly(r *Request[N, W], waiting bool) {
	if int(r.slot) >= s.next && r.seq <= s.last {
		s.visit(r, waiting)
		s.recorded[r.seq] = true
	}
}
