package clustertest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/treelock/treelock/manager/cluster/internal/steps"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Validation of real runs. There are two records of a run:
//
//   - the log: all events below a prefix, in the order of their revisions, which the test watches
//     by itself, past the proxies, from before the workers start ([Log]);
//   - the steps of each worker: what its manager applied and answered, in order, told on the
//     manager goroutine (package steps).
//
// A model reads the log, and knows for each revision which requests are live, in which order, with
// which tokens and claims, and which sessions are fenced. [Validate] replays the steps of a worker.
// Each must be an action that the model allows at the revision which the worker has applied; and
// before the next revision is applied, the worker must have done all that the model demands: its
// requests have arrived, exactly those that the rule grants are granted, a session that is fenced
// or robbed is lost.
//
// The model takes a narrowing at once. A process waits with that of another one until the request
// is granted there, too; the two differ only for guards and very large transactions, which workers
// do not make.

// A Log is what etcd did below a prefix.
type Log struct {
	prefix    string
	revisions []revision
}

// Add adds an event. Events come in the order of their revisions.
func (l *Log) Add(e *clientv3.Event) {
	if n := len(l.revisions); n == 0 || l.revisions[n-1].number != e.Kv.ModRevision {
		l.revisions = append(l.revisions, revision{number: e.Kv.ModRevision})
	}
	last := &l.revisions[len(l.revisions)-1]
	last.events = append(last.events, e)
}

// NewLog returns the empty log of a prefix.
func NewLog(prefix string) *Log { return &Log{prefix: prefix} }

// Actions are the actions of the model.
var Actions = []string{
	"begin", "list", "apply", "place", "grant on arrival", "grant after an own end", "grant by the log", "narrow",
	"release", "withdraw before its place", "withdraw", "lose", "fence another", "stop",
}

// A replayed is a worker whose steps are replayed.
type replayed struct {
	log   *Log
	model *model
	next  int // the first revision of the log that the model does not have
	seen  func(action string)
	label map[uint64]string // of each request that was granted

	at      int64  // the revision that the worker has applied, 0 before the first list
	session string // "" while there is none
	stopped bool
	own     // what it did in the session
}

// own is what a worker did in a session, by the tokens of its requests.
type own struct {
	placed, granted, gone map[uint64]bool
	narrowed              map[uint64][]Claim
	withdrawn             map[string]bool // by label: they had no place
	unfenced              map[string]bool // sessions that it must fence
	ended                 bool            // the last step but grants was an end or a narrowing
}

func newOwn() own {
	return own{map[uint64]bool{}, map[uint64]bool{}, map[uint64]bool{}, map[uint64][]Claim{}, map[string]bool{}, map[string]bool{}, false}
}

// ReadSteps reads the steps of a worker. The last line of a worker that was killed may be cut.
func ReadSteps(file string) (all []steps.Step, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	var bad error
	for lines.Scan() {
		if bad != nil {
			return nil, fmt.Errorf("%s, line %d: %w", file, len(all)+1, bad)
		}
		var s steps.Step
		if bad = json.Unmarshal(lines.Bytes(), &s); bad == nil {
			all = append(all, s)
		}
	}
	return all, lines.Err()
}

// Validate returns an error if the model does not explain the steps of a worker, or if one of its
// clients has a grant that is in no step. A worker that was killed need not end what it began. It
// calls seen for each action.
func Validate(worker string, all []steps.Step, events []Event, killed bool, log *Log, seen func(action string)) error {
	r := &replayed{log: log, seen: seen, label: map[uint64]string{}, own: newOwn()}
	r.rewind()
	for i, s := range all {
		if err := r.step(s); err != nil {
			return fmt.Errorf("%s, step %d (%s, token %d %s) at revision %d: %w; the steps around it: %+v",
				worker, i+1, s.Kind, s.Token, s.Label, r.at, err, all[max(0, i-8):min(len(all), i+3)])
		}
	}
	if killed {
		return nil
	}
	if !r.stopped {
		return fmt.Errorf("%s: the steps end after %d, expected its stop", worker, len(all))
	}
	for _, e := range events {
		label := fmt.Sprintf("%s/%d/%d", worker, e.Client, e.Number)
		if got := r.label[e.Token]; e.Kind == Granted && got != label {
			return fmt.Errorf("%s: client has a grant of %s with token %d, which the steps have for %q", worker, label, e.Token, got)
		}
	}
	return nil
}

func (r *replayed) rewind() { r.model, r.next = &model{fenced: map[string]bool{}}, 0 }

// step replays one step.
func (r *replayed) step(s steps.Step) error {
	if s.Kind != steps.Began && s.Kind != steps.Stopped && r.session == "" && !(s.Kind == steps.Ended && s.Token == 0) {
		return fmt.Errorf("it has no session")
	}
	switch s.Kind {
	case steps.Began:
		if r.session != "" {
			return fmt.Errorf("session %s is not lost", r.session)
		}
		r.session, r.at = sessionOf(s.Session), 0
		r.seen("begin")
	case steps.Listed, steps.Applied:
		return r.apply(s)
	case steps.Lost:
		r.session, r.at, r.own = "", 0, newOwn()
		r.seen("lose")
	case steps.Fenced:
		if !r.model.fenced[sessionOf(s.Session)] {
			return fmt.Errorf("session %x wrote no bad value", s.Session)
		}
		delete(r.unfenced, sessionOf(s.Session))
		r.seen("fence another")
	case steps.Stopped:
		r.stopped = true
		r.seen("stop")
		return r.settled(true)
	default:
		return r.request(s)
	}
	return nil
}

// apply brings the model to the revision that the worker applies or lists.
func (r *replayed) apply(s steps.Step) error {
	if err := r.settled(false); err != nil {
		return err
	}
	if s.Revision < r.at || s.Kind == steps.Applied && s.Revision == r.at {
		return fmt.Errorf("it goes back to revision %d", s.Revision)
	}
	r.ended = false
	if s.Kind == steps.Listed {
		r.rewind()
		r.at = 0
	} else if r.at == 0 {
		return fmt.Errorf("it applies revision %d before a list", s.Revision)
	}
	last := r.at
	for ; r.next < len(r.log.revisions) && r.log.revisions[r.next].number <= s.Revision; r.next++ {
		next := r.log.revisions[r.next]
		if s.Kind == steps.Applied && next.number < s.Revision {
			return fmt.Errorf("it applies revision %d, expected %d", s.Revision, next.number)
		}
		last = next.number
		for _, session := range r.model.apply(next, r.log.prefix) {
			r.unfenced[session] = s.Kind == steps.Applied
		}
	}
	if s.Kind == steps.Applied && last != s.Revision {
		return fmt.Errorf("it applies revision %d, which is not in the log", s.Revision)
	}
	for _, q := range r.model.requests {
		if q.session == r.session && r.withdrawn[q.label] {
			r.gone[q.token] = true
		}
	}
	r.at = s.Revision
	r.seen(map[string]string{steps.Listed: "list", steps.Applied: "apply"}[s.Kind])
	return nil
}

// request replays a step of a request.
func (r *replayed) request(s steps.Step) error {
	q := r.model.find(s.Token)
	switch {
	case s.Kind == steps.Ended && s.Token == 0:
		r.withdrawn[s.Label] = true
		r.seen("withdraw before its place")
		return nil
	case r.model.fenced[r.session]:
		return r.settled(false)
	case q == nil || q.session != r.session || q.label != s.Label:
		return fmt.Errorf("no such request of session %s is live", r.session)
	case r.gone[s.Token]:
		return fmt.Errorf("the request has ended")
	case r.placed[s.Token] == (s.Kind == steps.Placed):
		return fmt.Errorf("placed before is %v", r.placed[s.Token])
	}
	switch s.Kind {
	case steps.Placed:
		r.placed[s.Token] = true
		r.seen("place")
	case steps.Granted:
		return r.grant(q)
	case steps.Narrowed:
		if !r.granted[s.Token] {
			return fmt.Errorf("the request is not granted")
		}
		r.narrowed[s.Token], r.ended = s.Claims, true
		r.seen("narrow")
	case steps.Ended:
		r.gone[s.Token], r.ended = true, true
		r.seen(map[bool]string{true: "release", false: "withdraw"}[r.granted[s.Token]])
	default:
		return fmt.Errorf("no such kind of step")
	}
	return nil
}

// grant replays the grant of q.
func (r *replayed) grant(q *modelled) error {
	if r.granted[q.token] {
		return fmt.Errorf("the request is granted twice")
	}
	if b := r.model.blocker(q, r.gone, r.narrowed); b != nil {
		return fmt.Errorf("the model does not grant it: it waits for token %d (%s)", b.token, b.label)
	}
	r.granted[q.token], r.label[q.token] = true, q.label
	switch {
	case q.token>>16 == uint64(r.at):
		r.seen("grant on arrival")
	case r.ended:
		r.seen("grant after an own end")
	default:
		r.seen("grant by the log")
	}
	return nil
}

// settled checks that the worker has done all that the model demands at its revision.
func (r *replayed) settled(stops bool) error {
	if r.session == "" || r.at == 0 {
		return nil
	}
	if r.model.fenced[r.session] {
		return fmt.Errorf("session %s is fenced and goes on, expected its loss", r.session)
	}
	for session, must := range r.unfenced {
		if must && session != r.session {
			return fmt.Errorf("session %s wrote a bad value, expected that it is fenced", session)
		}
	}
	for token := range r.placed {
		if q := r.model.find(token); !r.gone[token] && q == nil {
			return fmt.Errorf("token %d was ended in the log and the session goes on, expected its loss", token)
		} else if !r.gone[token] && stops {
			return fmt.Errorf("token %d (%s) was never ended", token, q.label)
		}
	}
	for _, q := range r.model.requests {
		if q.session != r.session || r.gone[q.token] {
			continue
		}
		if !r.placed[q.token] {
			return fmt.Errorf("token %d (%s) was not answered, expected its arrival", q.token, q.label)
		}
		if !r.granted[q.token] && r.model.blocker(q, r.gone, r.narrowed) == nil {
			return fmt.Errorf("token %d (%s) was not answered, expected its grant", q.token, q.label)
		}
	}
	return nil
}
