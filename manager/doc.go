// Package manager grants requests for nodes and subtrees of a tree, from one goroutine that owns
// every node and every wait queue.
//
//	m := manager.Start(ctx)
//	grant, err := m.Acquire(ctx, treelock.Read("/src").Write("/dst"))
//	if err != nil {
//		return err
//	}
//	defer grant.Release()
//
// # Who owns what
//
// The manager goroutine owns the lock table: all nodes, wait queues and live requests. The table is a
// local variable of that goroutine's loop (run.go), so no other goroutine can name it. Clients send
// messages to one inbox and get their answers over channels that they made themselves, with room for
// all that is ever sent, so that the manager never waits for a client. There is no mutex.
//
// What needs nothing of the manager's state is done by clients, on their own goroutines, before they
// send: checking nodes, walking up their parents, providing storage. In particular no code of the user's
// (Parent, contexts, String) ever runs on the manager goroutine.
//
// # Concurrency properties
//
// Everything here may be called from any goroutine at any time.
//
// A request arrives when the manager takes it from the inbox, in an order that is that of the
// sends: one goroutine's calls arrive in its order. All races, such as a grant against a
// cancellation, are decided there, by the order of messages.
//
// What a client did before it released happens before what the next holder does after it got its grant.
//
// A client that has to wait is told so at once, and only then looks at its context as well: a select
// costs as much as all the rest of a request. A client that had to wait the last time expects to wait
// again, and one that finds many messages in the inbox expects the same; both select from the beginning.
//
// A message that got into the inbox is always answered, even if the manager stops; one that comes
// later cannot get in (stop.go). So a client that is cancelled waits for that answer: it names the
// blockers, and what the client sent is its own again. At most eight cancellations are in the inbox
// at a time, so others do not wait for a storm of them. An Acquire that had to wait is never
// granted under a context that had ended before: its client gives such a grant back. The context of
// a Submit bounds the submission only, so its ticket may still be granted.
//
// User code runs on the goroutine of its caller, and never while that has a token that others wait for.
// The methods of nodes and the handler that the slow log needs run isolated (isolate.go).
//
// The manager lets other goroutines run between batches of messages as long as that is fast (yield.go).
//
// # What can be seen
//
// The manager remembers a label and one time for each live request, and counts. That is all that it does for requests that are not
// refused. Who is in the way is looked for in refusals (explain.go); [Manager.Snapshot] is taken in steps between other
// messages (survey.go); slow requests are found by a goroutine of their own, by the same means (slow.go).
package manager
