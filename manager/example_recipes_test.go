package manager_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A newest submits requests of which only the latest one is still of use. One goroutine uses it.
type newest struct {
	ticket *manager.Ticket[treelock.Path]
}

// submit submits req, and withdraws the request before it. A request whose grant was received is
// not affected.
func (n *newest) submit(
	ctx context.Context, m *manager.Manager[treelock.Path], req treelock.Request[treelock.Path],
) (*manager.Ticket[treelock.Path], error) {
	ticket, err := m.Submit(ctx, req)
	if err == nil && n.ticket != nil {
		n.ticket.Withdraw()
	}
	if err == nil {
		n.ticket = ticket
	}
	return ticket, err
}

// While a site is being built, new commits come. Only the newest one is built next.
func ExampleTicket_Withdraw_newest() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)
	var builds newest

	var tickets []*manager.Ticket[treelock.Path]
	var running treelock.Grant[treelock.Path]
	for commit := range 3 {
		ticket, err := builds.submit(ctx, m, treelock.Write("/site"))
		if err != nil {
			fmt.Println(err)
			return
		}
		if commit == 0 {
			running = <-ticket.Granted()
		}
		tickets = append(tickets, ticket)
	}
	running.Release()
	for commit, ticket := range tickets[1:] {
		grant, err := ticket.Wait(ctx)
		fmt.Println("commit", commit+1, "superseded:", errors.Is(err, treelock.ErrWithdrawn))
		grant.Release()
	}
	// Output:
	// commit 1 superseded: true
	// commit 2 superseded: false
}

// An upload outlives a rename of its file: one manager has the names, the other one the contents. A
// client takes a name first, then the content, and never waits for a name while it holds a content.
func ExampleStartNodes_uploads() {
	type content = treelock.Key[int]
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	names, contents := manager.Start(ctx), manager.StartNodes[content](ctx)
	files := map[treelock.Path]content{"/draft.mp4": {Value: 17}}

	// The upload needs the name only until it has the content.
	name, err := names.Acquire(ctx, treelock.Read("/draft.mp4"))
	if err != nil {
		fmt.Println(err)
		return
	}
	video := treelock.For[content]().Write(files["/draft.mp4"])
	upload, err := contents.Acquire(ctx, video)
	name.Release()
	if err != nil {
		fmt.Println(err)
		return
	}

	err = names.Do(ctx, treelock.Write("/draft.mp4", "/final.mp4"), func(context.Context) error {
		files["/final.mp4"] = files["/draft.mp4"]
		delete(files, "/draft.mp4")
		return nil
	})
	fmt.Println("renamed during the upload:", err == nil)
	err = contents.Check(ctx, video) // as a client does before it deletes the content
	fmt.Println("still uploading:", errors.Is(err, treelock.ErrConflict))
	upload.Release()
	// Output:
	// renamed during the upload: true
	// still uploading: true
}

// A server shuts down in this order: no new HTTP requests, the end of those that run, the manager.
func ExampleManager_Shutdown_server() {
	locks, stopLocks := context.WithCancel(context.Background()) // not that of SIGTERM
	defer stopLocks()
	m := manager.Start(locks)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
		defer cancel()
		grant, err := m.Acquire(ctx, treelock.Write(treelock.CleanPath(r.URL.Path)))
		if err != nil { // the client has gone, or the time is over
			http.Error(w, "busy, try again", http.StatusServiceUnavailable)
			return
		}
		defer grant.Release()
		fmt.Fprintln(w, "done")
	}))
	answer, err := http.Get(server.URL + "/docs/a.txt")
	if err != nil {
		fmt.Println(err)
		return
	}
	answer.Body.Close()
	fmt.Println(answer.Status)

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	fmt.Println(server.Config.Shutdown(ctx))
	fmt.Println(m.Shutdown(ctx))
	server.Close() // of package httptest
	// Output:
	// 200 OK
	// <nil>
	// <nil>
}
