package manager

import (
	"context"
	"errors"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/nodetext"
)

// maxCauseText bounds what an error shows of the text of another error, which may be the user's. So
// an error is one line of bounded length.
const maxCauseText = 400

// maxErrorClaims is how many claims of its request an error keeps.
const maxErrorClaims = 8

// A requestError says which request its error is about. It is formatted as a BlockedError without
// blockers, but is none: errors.As must not find a BlockedError where no request blocked.
type requestError[N treelock.Node[N]] struct{ blocked treelock.BlockedError[N] }

func (e *requestError[N]) Error() string { return e.blocked.Error() }

func (e *requestError[N]) Unwrap() error { return e.blocked.Err }

// withRequest adds req, and the operation op, to err. It formats nothing. On the client's
// goroutine.
func withRequest[N treelock.Node[N]](op string, req *treelock.Request[N], err error) error {
	// The errors that name requests come from the manager goroutine. They are filled in here, in
	// place, so that it copies neither labels nor claims. No other goroutine has them by now.
	kept := min(maxErrorClaims, req.Len())
	claims, more := make([]treelock.Claim[N], kept), req.Len()-kept
	for i := range claims {
		claims[i] = req.Claim(i)
	}
	switch e := err.(type) {
	case *treelock.DeadlockError[N]:
		e.Op, e.Label, e.Claims, e.MoreClaims = op, req.Label(), claims, more
		return e
	case *treelock.BlockedError[N]:
		e.Op, e.Label, e.Claims, e.MoreClaims = op, req.Label(), claims, more
		return e
	default:
		return &requestError[N]{treelock.BlockedError[N]{
			Op: op, Label: req.Label(), Claims: claims, MoreClaims: more, Err: err,
		}}
	}
}

// resultOf is result for the call c that op made with req.
func (m *Manager[N]) resultOf(
	op string, req *treelock.Request[N], c *call[N],
) (treelock.Grant[N], error) {
	g, err := m.result(c)
	if err != nil {
		return treelock.Grant[N]{}, withRequest(op, req, err)
	}
	return m.public(g), nil
}

// canceledErr returns the error for a request whose ctx has ended. It includes the end of the
// manager, since one context is often the parent of the other. On the client's goroutine, as it
// calls ctx.
func (m *Manager[N]) canceledErr(ctx context.Context) error {
	if m.stopping() || isClosed(m.ctxDone) {
		return &endError{[]error{m.stoppedErr(), contextError(ctx)}}
	}
	return contextError(ctx)
}

// withBlockers returns err with the blockers that blocked names, if it is a BlockedError. blocked
// comes from the manager goroutine, without an error of its own; err comes from the client's. If
// the request had no place in the order yet, the result says that.
func withBlockers[N treelock.Node[N]](err, blocked error) error {
	switch blocked := blocked.(type) {
	case *treelock.BlockedError[N]:
		blocked.Err = err
		return blocked
	case noPlaceError:
		return &endError{[]error{err, blocked}}
	default:
		return err
	}
}

// A noPlaceError says that a request had no place in the journal yet, and what is known of why.
type noPlaceError struct{ trouble error }

func (e noPlaceError) Error() string {
	text := "the request has no place in the order yet"
	if e.trouble != nil {
		text += ": " + e.trouble.Error()
	}
	return text
}

func (e noPlaceError) Unwrap() error { return e.trouble }

// unsentErr returns the error for a message that was not sent. ctx is the client's.
func (m *Manager[N]) unsentErr(o outcome, ctx context.Context) error {
	if o == outcomeCanceled {
		return m.canceledErr(ctx)
	}
	return m.stoppedErr()
}

// stoppedErr returns the error for a manager that stops. stopping comes first: shutDown may be read
// once stopBegun is closed. On any goroutine, as it calls no method of ctx.
func (m *Manager[N]) stoppedErr() error {
	if m.stopping() && m.shutDown {
		return &endError{[]error{treelock.ErrStopped, treelock.ErrShutdown}}
	}
	return &stoppedError{m.ctx}
}

// A stoppedError is ErrStopped with the cause of ctx, which has ended. The manager goroutine makes
// it, and ctx may be of a user's type, so it calls ctx only when a reader of the error asks.
type stoppedError struct{ ctx context.Context }

func (e *stoppedError) Error() string { return (&endError{e.Unwrap()}).Error() }

func (e *stoppedError) Unwrap() []error {
	if cause := context.Cause(e.ctx); cause != nil {
		return []error{treelock.ErrStopped, cause}
	}
	return []error{treelock.ErrStopped, errNoReason}
}

// errNoReason replaces the error of a context that has ended and has none.
var errNoReason = errors.New("the context is done, and its Err is nil")

// contextError returns the error for a ctx that has ended. It satisfies errors.Is for ErrGaveUp,
// for the error of ctx and for its cause, and names neither twice. A user's context may return nil
// for either. On the client's goroutine, as it calls ctx.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	switch {
	case err == nil && cause == nil:
		return &gaveUpError{endError{[]error{errNoReason}}}
	case cause == nil:
		return &gaveUpError{endError{[]error{err}}}
	// A cause that wraps err says it all, and most often the two are the same error.
	case err == nil || errors.Is(cause, err):
		return &gaveUpError{endError{[]error{cause}}}
	default:
		return &gaveUpError{endError{[]error{err, cause}}}
	}
}

// A gaveUpError is an endError that is also ErrGaveUp, which its text does not repeat.
type gaveUpError struct{ endError }

func (e *gaveUpError) Is(target error) bool { return target == treelock.ErrGaveUp }

// An endError is one or more reasons for the end of a request or of the manager. Some are the
// user's, so their methods run only when a reader of the error asks, off the manager goroutine.
type endError struct{ errs []error }

func (e *endError) Error() string {
	var texts []string
	for _, err := range e.errs {
		text := strings.TrimPrefix(err.Error(), "treelock: ")
		texts = append(texts, nodetext.Escaped(text, maxCauseText))
	}
	return "treelock: " + strings.Join(texts, ": ")
}

func (e *endError) Unwrap() []error { return e.errs }
