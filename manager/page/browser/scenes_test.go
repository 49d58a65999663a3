package browser

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
	"github.com/treelock/treelock/manager/page"
)

// A scene is what a manager goes through before somebody sees its page. It happens in a synctest bubble, where minutes pass at once.
type scene func(s *stage)

// A stage has the manager of a scene, and those who use it.
type stage struct {
	t       *testing.T
	ctx     context.Context
	manager *manager.Manager[treelock.Path]
	handler http.Handler
	clients sync.WaitGroup
}

// record plays a scene and returns the page as it is at the end. What the browser sees is that recording: the bubble has ended by then.
func record(t *testing.T, play scene) (recorded http.Handler) {
	t.Helper()
	var status int
	var header http.Header
	var body []byte
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m := manager.Start(ctx)
		s := &stage{t: t, ctx: ctx, manager: m, handler: page.Handler(m)}
		defer func() { cancel(); <-m.Done(); s.clients.Wait() }()
		play(s)
		answer := s.look("")
		status, header, body = answer.Code, answer.Header(), answer.Body.Bytes()
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
}

func (s *stage) look(query string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	s.handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/"+query, nil))
	return answer
}

// pass lets time pass, with somebody who looks at the page.
func (s *stage) pass(d time.Duration) {
	for ; d > 0; d -= 2 * time.Second {
		time.Sleep(min(d, 2*time.Second))
		s.look("")
	}
}

// hold takes what req asks for, which must be free, for good.
func (s *stage) hold(label string, req treelock.Request[treelock.Path]) {
	s.t.Helper()
	if _, err := s.manager.TryAcquire(req.Labeled(label)); err != nil {
		s.t.Fatal(err)
	}
}

// wait asks for what somebody has, and waits to the end of the scene.
func (s *stage) wait(label string, req treelock.Request[treelock.Path]) {
	s.t.Helper()
	if _, err := s.manager.Submit(s.ctx, req.Labeled(label)); err != nil {
		s.t.Fatal(err)
	}
}

// work makes requests that come and go: each client writes or reads one of some documents again and again.
func (s *stage) work(clients int) {
	for client := range clients {
		s.clients.Go(func() {
			for i := client; s.ctx.Err() == nil; i++ {
				document := treelock.PathOf("tenants", fmt.Sprint(1+i%3), "docs", fmt.Sprint("report-", i*7%5))
				req := treelock.Read(document).Labeled(fmt.Sprint("show ", i))
				if i%3 == 0 {
					req = treelock.Write(document).Labeled(fmt.Sprint("save ", i))
				}
				grant, err := s.manager.Acquire(s.ctx, req)
				if err != nil {
					return
				}
				time.Sleep(time.Duration(20+i*37%90) * time.Millisecond * time.Duration(1+i/400%3))
				grant.Release()
			}
		})
	}
}

var scenes = map[string]scene{"idle": idle, "busy": busy, "stuck": stuck}

func idle(s *stage) { s.pass(20 * time.Second) }

func busy(s *stage) {
	s.work(6)
	s.pass(30 * time.Second)
	s.work(12)
	s.pass(30 * time.Second)
	s.hold("rename 2024 → 2025", treelock.Write("/tenants/4/docs/2024", "/tenants/4/docs/2025"))
	s.wait("list tenant 4", treelock.Read("/tenants/4"))
	s.hold("settings", treelock.ReadNode("/config"))
	s.pass(1500 * time.Millisecond)
}

func stuck(s *stage) {
	s.work(9)
	s.pass(40 * time.Second)
	s.hold("nightly export", treelock.Read("/tenants/17").Write("/exports/17"))
	s.pass(10 * time.Second)
	for i := range 23 {
		document := treelock.PathOf("tenants", "17", "docs", fmt.Sprint("invoice-", 100+i%4))
		switch {
		case i == 5:
			s.wait("rename tenant 17 → 18", treelock.Write("/tenants/17", "/tenants/18"))
		case i%7 == 3:
			s.wait("", treelock.WriteNode(document))
		case i%5 == 4:
			s.wait(fmt.Sprint("list ", i), treelock.Read("/exports"))
		default:
			s.wait(fmt.Sprint("save ", i), treelock.Write(document))
		}
		s.pass(time.Duration(3+i%6) * time.Second)
	}
	s.pass(110 * time.Second)
}

// picture has something of everything.
func picture(s *stage) {
	s.work(14)
	s.pass(70 * time.Second)
	s.hold("nightly export", treelock.Read("/tenants/17").Write("/exports/17"))
	s.pass(10 * time.Second)
	for i := range 23 {
		document := treelock.PathOf("tenants", "17", "docs", fmt.Sprint("invoice-", 100+i%3))
		s.wait(fmt.Sprint("save ", i), treelock.Write(document))
		s.pass(time.Duration(3+i%6) * time.Second)
	}
	s.pass(110 * time.Second)
}
