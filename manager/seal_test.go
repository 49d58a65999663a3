package manager

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
)

// late returns a message from a client that was about to send when the context ended. Its answer is received by the
// test: until then the manager waits for that, and the test knows what the inbox is like.
func late() message[path] {
	return message[path]{kind: kindAcquire, call: &call[path]{replies: make(chan verdict)}}
}

// Each of these clients finds room while the manager seals the inbox, at the worst moment that there is.
func TestSealMissesNoClientThatIsFaster(t *testing.T) {
	for before := range 4 { // own messages that are behind the first client's
		for behind := range 4 { // clients that are waiting for room by then
			synctest.Test(t, func(t *testing.T) { sealAgainst(t, before, behind) })
		}
	}
}

// sealAgainst seals an inbox for 4 messages. First come `before` that are answered at once, then that of a client; while
// that gets its answer another one takes its room, and `behind` more queue up for theirs.
func sealAgainst(t *testing.T, before, behind int) {
	ctx, stop := context.WithCancel(t.Context())
	m := newManager[path](ctx, []Option{WithClients(4 / messagesPerClient)})
	for range before {
		m.inbox <- message[path]{kind: kindRelease}
	}
	first := late()
	m.inbox <- first
	for len(m.inbox) < cap(m.inbox) {
		m.inbox <- message[path]{kind: kindRelease}
	}
	stop()
	over := make(chan struct{})
	go func() {
		m.seal(m.stoppedErr())
		close(over)
	}()
	synctest.Wait()
	faster := late()
	m.inbox <- faster // there is room, as the manager has taken first, and waits for its client
	others := make([]message[path], behind)
	for i := range others {
		others[i] = late()
		go func() { m.inbox <- others[i] }()
	}
	synctest.Wait()
	<-first.call.replies
	unanswered := append([]message[path]{faster}, others...)
	for len(unanswered) > 0 {
		synctest.Wait()
		answered := slices.IndexFunc(unanswered, func(msg message[path]) bool {
			select {
			case <-msg.call.replies:
				return true
			default:
				return false
			}
		})
		if answered < 0 {
			t.Errorf("%d before, %d behind: %d clients that found room get no answer", before, behind, len(unanswered))
			break
		}
		unanswered = slices.Delete(unanswered, answered, answered+1)
	}
	<-over
	for len(m.inbox) > 0 {
		if msg := <-m.inbox; msg.kind != kindSealed {
			t.Errorf("%d before, %d behind: a message of kind %d is left in the inbox", before, behind, msg.kind)
		}
	}
}
