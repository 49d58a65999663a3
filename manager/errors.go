package manager

import (
	"context"
	"errors"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/nodetext"
)

// longestCause bounds what an error shows of the text of another one, which may be the user's.
const maxCauseText = 400

// keptClaims is how many claims of its request an error keeps.
const maxErrorClaims = 8

// A requestError says which request err is about, where no blocker is to be named. It is formatted as a
// BlockedError without blockers.
type requestError[N treelock.Node[N]] struct{ blocked treelock.BlockedError[N] }

func (e *requestError[N]) Error() string { return e.blocked.Error() }

func (e *requestError[N]) Unwrap() error { return e.blocked.Err }

// about returns err with what it is about: op says what was asked for with req. It runs on the client's
// goroutine, and formats nothing.
func withRequest[N treelock.Node[N]](op string, req *treelock.Request[N], err error) error {
	blocked, ok := err.(*treelock.BlockedError[N])
	if !ok {
		e := &requestError[N]{treelock.BlockedError[N]{Err: err}}
		blocked, err = &e.blocked, e
	}
	blocked.Op, blocked.Label = op, req.Label()
	kept := min(maxErrorClaims, req.Len())
	blocked.Claims, blocked.MoreClaims = make([]treelock.Claim[N], kept), req.Len()-kept
	for i := range blocked.Claims {
		blocked.Claims[i] = req.Claim(i)
	}
	return err
}

// resultOf is like result, for a call that was made by op with req.
func (m *Manager[N]) resultOf(op string, req *treelock.Request[N], c *call[N]) (Grant[N], error) {
	grant, err := m.result(c)
	if err != nil {
		return Grant[N]{}, withRequest(op, req, err)
	}
	return grant, nil
}

// gaveUp returns the error for a request whose ctx has ended, and perhaps the manager too: often one context is the
// parent of the other.
func (m *Manager[N]) canceledErr(ctx context.Context) error {
	if m.stopping() {
		return &endError{[]error{m.stoppedErr(), contextError(ctx)}}
	}
	return contextError(ctx)
}

// unsent returns the error for a message that was not sent.
func (m *Manager[N]) unsentErr(o outcome, ctx context.Context) error {
	if o == outcomeCanceled {
		return m.canceledErr(ctx)
	}
	return m.stoppedErr()
}

// stopped returns the error for a manager whose context has ended.
func (m *Manager[N]) stoppedErr() error { return &stoppedError{m.ctx} }

// A stoppedError is ErrStopped and the cause of ctx, which has ended. It asks ctx only when it is asked
// itself: the manager makes such an error, too, and ctx may be of a type of the user's.
type stoppedError struct{ ctx context.Context }

func (e *stoppedError) Error() string { return (&endError{e.Unwrap()}).Error() }

func (e *stoppedError) Unwrap() []error {
	if cause := context.Cause(e.ctx); cause != nil {
		return []error{treelock.ErrStopped, cause}
	}
	return []error{treelock.ErrStopped, errNoReason}
}

// errNoReason stands for the error of a context that has ended and has none.
var errNoReason = errors.New("the context is done, and its Err is nil")

// contextError returns the error for a ctx that has ended.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	switch {
	case err == nil && cause == nil:
		return &endError{[]error{errNoReason}}
	case cause == nil:
		return &endError{[]error{err}}
	case err == nil || errors.Is(cause, err):
		return &endError{[]error{cause}}
	default:
		return &endError{[]error{err, cause}}
	}
}

// An endError is one or more errors that say why something has ended. Some may be the user's, so their methods are called only
// when the text is asked for: that is not on the manager goroutine.
type endError struct{ errs []error }

func (e *endError) Error() string {
	var texts []string
	for _, err := range e.errs {
		texts = append(texts, nodetext.Escaped(strings.TrimPrefix(err.Error(), "treelock: "), maxCauseText))
	}
	return "treelock: " + strings.Join(texts, ": ")
}

func (e *endError) Unwrap() []error { return e.errs }
