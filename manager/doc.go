// Package manager grants requests for nodes and subtrees of a tree, from one goroutine that owns
// every node and every wait queue. The page docs/how-it-works.md follows one request through the
// code.
//
//	m := manager.Start(ctx)
//	grant, err := m.Acquire(ctx, treelock.Read("/src").Write("/dst"))
//	if err != nil {
//		return err
//	}
//	defer grant.Release()
//
// # Terminology
//
//   - A client is a goroutine that calls a method of a [Manager], a [treelock.Grant] or a [Ticket].
//   - The manager goroutine runs the loop in run.go. One serves each manager.
//   - A message goes from a client to the manager goroutine. Its kind says what is to be done.
//   - The inbox is the one channel of messages. Its order is the order of arrival.
//   - A scope is a set of requests that wait for each other and for no others: the manager's own,
//     or those inside one grant. Each scope has a lock table. (The Scope of a claim is another
//     thing.)
//   - A widening adds claims to a grant. While it waits, the lock table has it as a request of its
//     own, with its own place in the order of arrival.
//   - A call carries a request to the manager goroutine, and the replies back. It is reused.
//   - A verdict is one reply to a call: done, refused, must wait, or canceled.
//   - A request is live from its arrival until it is released, canceled, withdrawn or revoked. It
//     waits, then holds.
//   - To cancel is to end a call of Acquire whose context has ended. To withdraw is to end a
//     ticket. To revoke is to end a request by its number, from outside; it is lost then.
//   - A signal tells a client of a grant, once, that it was lost, or that a request waits for it.
//   - An inspector reads the state of the manager, on the manager goroutine.
//   - A survey collects live requests in steps. A [Snapshot] is built from it by the client.
//
// # Ownership
//
//	client goroutines                             manager goroutine
//	+-----------------------+                     +-----------------------+
//	| call: request, claims |  message            | loop (run.go)         |
//	|   and their lineages -+--> inbox [ | | | ] -+-> dispatch            |
//	|                       |                     |     |                 |
//	|   verdict            <+---- call.replies <--+-----+                 |
//	|   Grant              <+--- Ticket.granted <-+-----+                 |
//	|                       |                     |     v                 |
//	| user code: Parent,    |                     | lock table: nodes,    |
//	|   String, contexts    |                     |   queues, requests    |
//	+-----------------------+                     +-----------------------+
//
// The manager goroutine owns the lock table: all nodes, wait queues and live requests. The table is
// reached through a local variable of the loop, so no other goroutine can name it. There is no
// mutex.
//
// The manager goroutine never waits for a client. Clients make the reply channels, with room for
// every reply that is sent on them. A call belongs to its client until it is sent, then to the
// manager goroutine until the last reply.
//
// Clients do all work that does not need the manager's state, before they send: they check nodes,
// find their ancestors and provide storage. (The ancestors of a Path are in its text, so there the
// lock table finds them.) User code (Parent, contexts, String) therefore runs on
// the goroutine of its caller, never on the manager goroutine. It never runs while its caller has a
// token that other clients need. The methods of nodes and the log handler that the slow log calls
// run isolated (isolate.go).
//
// # Concurrency properties
//
// All exported functions and methods are safe for concurrent use.
//
// A request arrives when the manager goroutine takes it from the inbox, in the order of the sends.
// So the calls of one goroutine arrive in their order. The order of messages decides every race,
// such as that of a grant and a cancellation.
//
// What a client did before it released happens before what the next holder does after its grant.
//
// Every message in the inbox is replied to, even if the manager stops. After that no message gets
// in (stop.go). So a canceled client waits for its last reply, which names the blockers. At most
// eight cancellations are in the inbox at a time, so a burst of them does not delay other messages.
//
// An Acquire that had to wait never returns a grant under a context that had ended before the
// grant: its client ends the request instead. The context of Submit bounds the submission only.
//
// Most clients look at their context only when they are told that they must wait, since a select
// costs as much as the rest of a request. A client that had to wait the last time, or that finds
// many messages in the inbox, expects to wait and selects from the beginning.
//
// The manager goroutine lets other goroutines run between batches of messages while that is fast
// (yield.go).
//
// # Scopes, widenings and circles
//
// A request inside a grant goes to the lock table of that grant. The manager goroutine makes it for
// the first request and keeps it until the last one has ended (scope.go). So all that holds for the
// requests of the manager holds there, too: they share the numbers, the limits, the search for
// blockers and the surveys. A grant that is released stays in its table until the grants inside it
// have ended.
//
// The lock table decides when a widening is granted: see package internal/locktable, and
// docs/widening.md. Its client is told like that of an Acquire (widen.go).
//
// A request waits only for earlier ones, so clients that hold nothing while they wait close no
// circle. A client that holds something says so by the context of its call. If such a call must
// wait, the manager goroutine searches for a circle at its arrival, and refuses the call if it
// finds one (deadlock.go). The search looks at the requests that wait for what the client holds,
// and no other request pays for it.
//
// # Visibility
//
// The manager keeps a label and one time for each live request, and counters. Requests that are not
// refused cost no more than that. Refusals name their blockers (explain.go). [Manager.Snapshot]
// runs in steps between other messages (survey.go). The slow log finds slow requests from a
// goroutine of its own, by a survey (slow.go).
package manager
