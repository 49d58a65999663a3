package page

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

func TestStoppedManagerIsShownWithItsLastStatistics(t *testing.T) {
	inside(t, func(h *house) {
		h.submit("holder", treelock.Write("/a"))
		h.submit("waiter", treelock.Write("/a"))
		h.stop(errors.New("<shutting down>"))
		<-h.manager.Done()
		h.wantText("/", 503, "The manager has stopped", "the manager has stopped: <shutting down>", "1 held and 1 waited when it did", "granted 1", "in the inbox 0", "!Tree")
		h.wantText("/?below=/x", 503, "The manager has stopped")
		answer := h.get("/?format=json")
		var got struct {
			Error string
			Stats manager.Stats
		}
		if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || answer.Code != 503 {
			t.Errorf("as JSON: %d, %v, want 503", answer.Code, err)
		}
		if !strings.Contains(got.Error, "stopped") || got.Stats.Granted != 1 || got.Stats.Waited != 1 {
			t.Errorf("as JSON: %+v", got)
		}
		h.wantText("/?format=dot", 503, "stopped")
	})
}

func TestManyMayLookAtOnce(t *testing.T) {
	inside(t, func(h *house) {
		h.submit("", treelock.Write("/a"))
		h.submit("", treelock.Write("/a"))
		var visitors sync.WaitGroup
		for i := range 8 {
			visitors.Go(func() {
				for range 4 {
					h.submit("", treelock.Write("/a"))
					h.wantText("/?limit="+strconv.Itoa(i+1), 200, "the longest for")
					h.get("/?format=json")
					time.Sleep(time.Second)
				}
			})
		}
		visitors.Wait()
		h.wantText("/", 200, "33 requests wait")
	})
}

func TestManagerThatDoesNotAnswerIsNoPanic(t *testing.T) {
	inside(t, func(h *house) {
		ctx, cancel := context.WithCancel(h.t.Context())
		cancel()
		answer := httptest.NewRecorder()
		h.handler.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
		if text := textIn(answer.Body.String()); answer.Code != 503 || !strings.Contains(text, "no answer from the manager") {
			t.Errorf("%d, %s", answer.Code, text)
		}
	})
}
