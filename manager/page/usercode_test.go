package page

import (
	"context"
	"fmt"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A folderNode is a pointer without a text.
type folderNode struct{ files map[string]int }

func (f *folderNode) Parent() (*folderNode, bool) { return nil, false }

// Under the race detector this test fails if the page reads the memory of the holder.
func TestPageReadsNoMemoryOfTheHolder(t *testing.T) {
	m := manager.StartNodes[*folderNode](t.Context())
	t.Cleanup(func() { <-m.Done() })
	node := &folderNode{map[string]int{"secret": 1}}
	if _, err := m.Acquire(t.Context(), treelock.Request[*folderNode]{}.Write(node)); err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				node.files[fmt.Sprint(i%100)] = i
			}
		}
	}()
	h := nodesHarness{t, HandlerNodes(m, nil)}
	h.wantInAll(fmt.Sprintf("folderNode(%p)", node), "secret")
	close(stop)
	<-stopped
}

// A hookNode is a node whose methods call functions of the test.
type hookNode struct{ *hooks }

type hooks struct {
	name           string
	parent, string func()
}

func (n hookNode) String() string { n.hooks.string(); return n.name }

// Parent returns the node itself if its name is endless.
func (n hookNode) Parent() (hookNode, bool) { n.parent(); return n, n.name == "endless" }

// A hookHarness has the page of two hookNodes, bad and good, which are both held.
type hookHarness struct {
	nodesHarness
	bad *hooks
}

func withHooks(t *testing.T, test func(h hookHarness)) {
	t.Helper()
	none := func() {}
	bad, good := hookNode{&hooks{"bad", none, none}}, hookNode{&hooks{"good", none, none}}
	nodes := map[string]hookNode{"bad": bad, "good": good, "endless": {bad.hooks}}
	parse := func(name string) (hookNode, error) { return nodes[name], nil }
	withNodes(t, parse, func(h nodesHarness) { test(hookHarness{h, bad.hooks}) }, bad, good)
}

// wantGood checks that viewers of the good node are answered at once.
func (h hookHarness) wantGood() {
	h.t.Helper()
	before := time.Now()
	for _, query := range []string{"?below=good", "?format=json&below=good", "?format=dot&below=good"} {
		answer := h.get("/" + query)
		if answer.Code != 200 || !strings.Contains(answer.Body.String(), "good") {
			h.t.Errorf("GET %s: %d, want 200:\n%s", query, answer.Code, answer.Body)
		}
	}
	if waited := time.Since(before); waited > 0 {
		h.t.Errorf("viewers of the good node have waited %v", waited)
	}
}

func TestBadMethodHarmsItsViewerOnly(t *testing.T) {
	for name, harm := range map[string]func(end <-chan struct{}){
		"blocks": func(end <-chan struct{}) { <-end },
		"panics": func(<-chan struct{}) { panic("bad method") },
		"exits":  func(<-chan struct{}) { runtime.Goexit() },
	} {
		for _, method := range []string{"String", "Parent"} {
			t.Run(method+" "+name, func(t *testing.T) {
				withHooks(t, func(h hookHarness) {
					end, over := make(chan struct{}), make(chan struct{})
					if hook := func() { harm(end) }; method == "String" {
						h.bad.string = hook
					} else {
						h.bad.parent = hook
					}
					queries := []string{"?below=bad", "?format=json", "?format=dot", "?format=json&below=bad"}
					for range 10 {
						for _, query := range queries {
							go func() {
								defer func() { over <- struct{}{} }()
								defer func() { _ = recover() }() // as net/http does
								h.get("/" + query)
							}()
						}
					}
					for range 2 {
						synctest.Wait()
						h.wantGood()
					}
					close(end)
					for range 10 * len(queries) {
						<-over
					}
				})
			})
		}
	}
}

// A Parent that blocks only in the snapshot does so with the token of snapshotSem.
func TestViewerReturnsItsTokenWhenItLeavesOrAtTheTimeout(t *testing.T) {
	for _, leaves := range []bool{true, false} {
		t.Run(fmt.Sprintf("leaves=%t", leaves), func(t *testing.T) {
			withHooks(t, func(h hookHarness) {
				end, over, calls := make(chan struct{}), make(chan struct{}), 0
				h.bad.parent = func() {
					if calls++; calls > 1 { // the first call is that of walk
						<-end
					}
				}
				ctx, leave := context.WithCancel(h.t.Context())
				go func() { defer close(over); h.do(ctx, "GET", "/?below=bad") }()
				synctest.Wait()
				before, want := time.Now(), snapshotTimeout
				if time.Sleep(time.Second); leaves {
					leave()
					want = time.Second
				}
				synctest.Wait()
				if answer := h.get("/?below=good"); answer.Code != 200 || time.Since(before) != want {
					t.Errorf("the next viewer gets %d after %v, want 200 after %v",
						answer.Code, time.Since(before), want)
				}
				leave()
				close(end)
				<-over
			})
		})
	}
}

func TestEndlessLineageIsRefused(t *testing.T) {
	withHooks(t, func(h hookHarness) {
		h.bad.name = "endless"
		h.wantText("/?below=endless", 400, "too many ancestors")
	})
}

func TestViewerWaitsFiveSecondsForASnapshot(t *testing.T) {
	inBubble(t, func(h *harness) {
		h.page.snapshotSem <- struct{}{}
		before := time.Now()
		h.wantText("/", 503, "no answer from the manager yet, as it answers other viewers")
		if waited := time.Since(before); waited != 5*time.Second {
			t.Errorf("the viewer has waited %v, want 5s", waited)
		}
		<-h.page.snapshotSem
		h.wantText("/", 200, "All quiet")
	})
}

func TestViewersDoNotWaitForASlowReader(t *testing.T) {
	inBubble(t, func(h *harness) {
		reader, over := newStuckReader(), make(chan struct{})
		go func() {
			defer close(over)
			h.handler.ServeHTTP(reader, httptest.NewRequest("GET", "/", nil))
		}()
		synctest.Wait()
		before := time.Now()
		h.wantText("/", 200, "All quiet")
		if waited := time.Since(before); waited > 0 {
			t.Errorf("a viewer has waited %v", waited)
		}
		close(reader.read)
		<-over
	})
}

// Each of many contexts ends at another moment of an answer.
func TestContextMayEndAtAnyMoment(t *testing.T) {
	m := manager.Start(t.Context())
	t.Cleanup(func() { <-m.Done() })
	submitWide(t, m, 300, 8, "")
	h := nodesHarness{t, Handler(m)}
	for i := range 100 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*40*time.Microsecond)
		h.do(ctx, "GET", "/?below=/wide&format=json")
		cancel()
	}
	if got := len(h.json("").Holders); got != 300 {
		t.Errorf("the last viewer gets %d requests, want 300", got)
	}
	page := h.handler.(*handler[treelock.Path])
	if len(page.snapshotSem) != 0 || len(page.renderSem) != 0 {
		t.Error("a token was not returned")
	}
}
