package page

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A folderNode is a node that is a pointer, without a text of its own.
type folderNode struct {
	up    *folderNode
	files map[string]int
}

func (f *folderNode) Parent() (*folderNode, bool) { return f.up, f.up != nil }

// The holder of a node writes what it points to while viewers look: under the race detector this test fails if the page
// reads it.
func TestPageReadsNoMemoryOfTheLockHolder(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := manager.StartNodes[*folderNode](ctx)
	defer func() { cancel(); <-m.Done() }()
	node := &folderNode{files: map[string]int{"secret": 1}}
	if _, err := m.Acquire(ctx, treelock.Request[*folderNode]{}.Write(node)); err != nil {
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
	handler := HandlerNodes(m, nil)
	for _, query := range []string{"", "?format=json", "?format=dot"} {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest("GET", "/"+query, nil))
		if body := answer.Body.String(); answer.Code != 200 || strings.Contains(body, "secret") || !strings.Contains(body, fmt.Sprintf("folderNode(%p)", node)) {
			t.Errorf("GET %s: %d, want the type and address of the node, and nothing in it:\n%s", query, answer.Code, body)
		}
	}
	close(stop)
	<-stopped
}

// A plant is a node whose methods do what a test says.
type plant struct{ *behaviour }

type behaviour struct {
	name     string
	text, up func()
}

func (p plant) Parent() (plant, bool) { p.up(); return plant{}, false }
func (p plant) String() string        { p.text(); return p.name }

// garden runs a test with a manager of plants, and a page that finds a plant by its name.
func garden(t *testing.T, test func(t *testing.T, get func(ctx context.Context, query string) *httptest.ResponseRecorder, hold func(plant))) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m := manager.StartNodes[plant](ctx)
		defer func() { cancel(); <-m.Done() }()
		plants := make(map[string]plant)
		handler := HandlerNodes(m, func(name string) (plant, error) { return plants[name], nil })
		get := func(ctx context.Context, query string) *httptest.ResponseRecorder {
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, "GET", "/"+query, nil))
			return answer
		}
		hold := func(p plant) {
			plants[p.name] = p
			if _, err := m.Acquire(ctx, treelock.Request[plant]{}.Write(p)); err != nil {
				t.Fatal(err)
			}
		}
		test(t, get, hold)
	})
}

func nothing() {}

// A String that blocks, panics or ends its goroutine harms the viewer that shows it. A viewer that looks elsewhere is
// answered, in every format.
func TestBadStringHarmsItsViewerOnly(t *testing.T) {
	for name, harm := range map[string]func(<-chan struct{}){
		"blocks": func(end <-chan struct{}) { <-end },
		"panics": func(<-chan struct{}) { panic("bad String") },
		"exits":  func(<-chan struct{}) { runtime.Goexit() },
	} {
		t.Run(name, func(t *testing.T) {
			garden(t, func(t *testing.T, get func(context.Context, string) *httptest.ResponseRecorder, hold func(plant)) {
				end, over := make(chan struct{}), make(chan struct{})
				bad := false
				hold(plant{&behaviour{"bad", func() {
					if bad {
						harm(end)
					}
				}, nothing}})
				hold(plant{&behaviour{"good", nothing, nothing}})
				bad = true
				viewers := 0
				for range 10 {
					for _, query := range []string{"", "?format=json", "?format=dot"} {
						viewers++
						go func() {
							defer func() { over <- struct{}{} }()
							defer func() { _ = recover() }() // as net/http does
							get(t.Context(), query)
						}()
					}
				}
				synctest.Wait()
				before := time.Now()
				for _, query := range []string{"?below=good", "?format=json&below=good", "?format=dot&below=good"} {
					if answer := get(t.Context(), query); answer.Code != 200 || !strings.Contains(answer.Body.String(), "good") {
						t.Errorf("GET %s: %d, want 200:\n%s", query, answer.Code, answer.Body)
					}
				}
				if waited := time.Since(before); waited > 0 {
					t.Errorf("the good viewers have waited %v", waited)
				}
				close(end)
				for range viewers {
					<-over
				}
			})
		})
	}
}

// A viewer that leaves in the middle of a snapshot frees its turn at once, even while Parent blocks; one that stays frees it
// after the limit of an answer.
func TestTurnIsFreeWhenAViewerLeavesInTheMiddle(t *testing.T) {
	for _, leaves := range []bool{true, false} {
		t.Run(fmt.Sprintf("leaves=%t", leaves), func(t *testing.T) {
			garden(t, func(t *testing.T, get func(context.Context, string) *httptest.ResponseRecorder, hold func(plant)) {
				end, calls := make(chan struct{}), -1000
				hold(plant{&behaviour{"slow", nothing, func() {
					if calls++; calls > 1 { // the first call is outside the turn
						<-end
					}
				}}})
				hold(plant{&behaviour{"good", nothing, nothing}})
				calls = 0
				ctx, leave := context.WithCancel(t.Context())
				over := make(chan struct{})
				go func() { defer close(over); get(ctx, "?below=slow") }()
				synctest.Wait()
				before, want := time.Now(), patience
				if time.Sleep(time.Second); leaves {
					leave()
					want = time.Second
				}
				synctest.Wait()
				if answer := get(t.Context(), "?below=good"); answer.Code != 200 || time.Since(before) != want {
					t.Errorf("the next viewer gets %d after %v, want 200 after %v", answer.Code, time.Since(before), want)
				}
				leave()
				close(end)
				<-over
			})
		})
	}
}

// A Parent that always blocks does so before its viewer has the turn.
func TestBlockingParentKeepsNoTurn(t *testing.T) {
	garden(t, func(t *testing.T, get func(context.Context, string) *httptest.ResponseRecorder, hold func(plant)) {
		end, blocks := make(chan struct{}), false
		hold(plant{&behaviour{"slow", nothing, func() {
			if blocks {
				<-end
			}
		}}})
		hold(plant{&behaviour{"good", nothing, nothing}})
		blocks = true
		over := make(chan struct{})
		go func() { defer close(over); get(t.Context(), "?below=slow") }()
		synctest.Wait()
		before := time.Now()
		if answer := get(t.Context(), "?below=good"); answer.Code != 200 || time.Since(before) > 0 {
			t.Errorf("the next viewer gets %d after %v, want 200 at once", answer.Code, time.Since(before))
		}
		close(end)
		<-over
	})
}

// A viewer waits five seconds for its turn, and not longer.
func TestAnswerHasALimitOfFiveSeconds(t *testing.T) {
	inside(t, func(h *house) {
		turn := h.handler.(*handler[treelock.Path]).turn
		turn <- struct{}{}
		before := time.Now()
		h.wantText("/", http.StatusServiceUnavailable, "no answer from the manager yet, as it answers other viewers")
		if waited := time.Since(before); waited != 5*time.Second {
			t.Errorf("the viewer has waited %v, want 5s", waited)
		}
		<-turn
		h.wantText("/", 200, "All quiet")
	})
}

// Viewers do not wait for one that writes.
func TestAnswerIsWrittenWithoutTheTurn(t *testing.T) {
	inside(t, func(h *house) {
		reader, over := newStuckReader(), make(chan struct{})
		go func() { defer close(over); h.handler.ServeHTTP(reader, httptest.NewRequest("GET", "/", nil)) }()
		synctest.Wait()
		before := time.Now()
		h.wantText("/", 200, "All quiet")
		if waited := time.Since(before); waited > 0 {
			t.Errorf("a viewer has waited %v for another one that does not read", waited)
		}
		close(reader.read)
		<-over
	})
}

// A viewer may leave at any moment: each of many contexts ends at another one, and the next viewer is answered.
func TestContextMayEndAtAnyMoment(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	m := manager.Start(ctx)
	defer func() { stop(); <-m.Done() }()
	submitWide(t, m, 300, 8, "")
	handler := Handler(m)
	for i := range 100 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*40*time.Microsecond)
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/?below=/wide&format=json", nil))
		cancel()
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest("GET", "/?format=json", nil))
	var got manager.Snapshot[treelock.Path]
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || len(got.Holders) != 300 {
		t.Errorf("the last viewer sees %d requests, %v, want 300", len(got.Holders), err)
	}
	if h := handler.(*handlerOfPaths); len(h.turn) != 0 || len(h.making) != 0 {
		t.Error("a turn or a place is not free")
	}
}

type handlerOfPaths = handler[treelock.Path]
