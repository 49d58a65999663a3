package dav

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/webdav/internal/davlock"
	"github.com/treelock/treelock/examples/webdav/internal/xmlbody"
)

// What is malformed is refused with the right status, changes nothing, and leaves nothing held.
func TestMalformedRequestsAreRefused(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	long := "/" + strings.Repeat("x", longestPath)
	for _, test := range []struct {
		want int
		line string
		more []string
	}{
		{400, "GET /a/%00", nil},
		{400, "PUT /a/%5C..%5Cx", nil},
		{400, "GET /a/../b", nil},
		{400, "GET /a/%2e%2e/b", nil},
		{400, "PUT /./x", nil},
		{414, "PUT " + long, nil},
		{414, "PUT " + strings.Repeat("/x", deepestPath+1), nil},
		{414, "PUT /" + strings.Repeat("x", 300), nil}, // longer than a file system takes
		{403, "PUT /.DAV/uploads/x", nil},
		{403, "GET /.dav", nil},
		{403, "COPY /a/f", []string{"Destination: /a/.Dav/x"}},
		{400, "COPY /a/f", nil},
		{400, "COPY /a/f", []string{"Destination: ://"}},
		{400, "COPY /a/f", []string{"Destination: /b/../c"}},
		{502, "COPY /a/f", []string{"Destination: http://elsewhere/x"}},
		{400, "COPY /a/f", []string{"Destination: /b/f", "Depth: 1"}},
		{400, "MOVE /a", []string{"Destination: /c", "Depth: 0"}},
		{400, "COPY /a/f", []string{"Destination: /b/f", "Overwrite: maybe"}},
		{403, "COPY /a/f", []string{"Destination: /a/f"}},
		{403, "COPY /a", []string{"Destination: /a/f/x"}},
		{403, "MOVE /a", []string{"Destination: /a/new"}},
		{403, "COPY /a/f", []string{"Destination: /a"}}, // the target is above the source
		{404, "MOVE /none", []string{"Destination: /a/f"}},
		{409, "COPY /a", []string{"Destination: /none/x"}},
		{412, "MOVE /a/f", []string{"Destination: /b", "Overwrite: F"}},
		{403, "DELETE /", nil},
		{403, "MOVE /", []string{"Destination: /x"}},
		{400, "DELETE /a", []string{"Depth: 0"}},
		{415, "MKCOL /c", []string{"=body"}},
		{409, "PUT /a/f/below", nil},
		{405, "PUT /a", nil},
		{405, "PUT /c/", nil},
		{400, "PUT /a/f", []string{"Content-Range: bytes 0-1/2"}},
		{413, "PUT /a/f", []string{"=" + strings.Repeat("x", 1<<20+1)}},
		{413, "LOCK /a/f", []string{"=" + strings.Repeat("x", xmlbody.Longest+1)}},
		{400, "PROPFIND /a", []string{"Depth: 0", "=<"}},
		{400, "PROPFIND /a", []string{"Depth: 2"}},
		{403, "PROPFIND /", []string{"Depth: infinity"}},
		{403, "PROPFIND /", nil},
		{400, "PROPPATCH /a/f", []string{"=<!DOCTYPE x><propertyupdate xmlns='DAV:'/>"}},
		{400, "LOCK /a/f", []string{"If: (<x>", lockBody("exclusive")}},
		{405, "POST /a/f", nil},
		{405, "FOO /a/f", nil},
	} {
		r.do(test.want, test.line, test.more...)
	}
	// A body whose length is not announced.
	w, req := httptest.NewRecorder(), httptest.NewRequest("PUT", "/a/f", strings.NewReader(strings.Repeat("x", 1<<20+1)))
	req.ContentLength = -1
	if r.handler.ServeHTTP(w, req); w.Code != 413 {
		t.Errorf("PUT of a large body = %d, want 413", w.Code)
	}
	r.holds("/a/f", "old")
	r.do(200, "GET /b/")
	r.idle(0)
	if left, _ := os.ReadDir(filepath.Join(r.name, ".DAV/uploads")); len(left) != 0 {
		t.Errorf("%d uploads are left", len(left))
	}
}

// Protected properties cannot be set, and then nothing is: RFC 4918, section 9.2.
func TestProtectedPropertiesCannotBeSet(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	for _, name := range []string{"lockdiscovery", "supportedlock", "getetag", "resourcetype"} {
		w := r.do(207, "PROPPATCH /a/f", `=<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><D:`+name+`/><x xmlns="u:">1</x></D:prop></D:set></D:propertyupdate>`)
		r.says(w, "403 Forbidden", "424 Failed Dependency")
	}
	r.says(r.do(207, "PROPFIND /a/f", "Depth: 0", `=<D:propfind xmlns:D="DAV:"><D:prop><x xmlns="u:"/></D:prop></D:propfind>`), "404 Not Found")
}

// A shallow copy of a folder has no members.
func TestShallowCopy(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	r.do(201, "COPY /a", "Destination: /c", "Depth: 0")
	r.do(200, "GET /c/")
	r.do(404, "GET /c/f")
}

func TestUserWithTooManyLocksHarmsNoOther(t *testing.T) {
	r := newRig(t, davlock.Limits{PerUser: 100})
	for i := range 100 {
		r.as("eve", 201, fmt.Sprintf("LOCK /b/%d", i), lockBody("exclusive"))
	}
	r.as("eve", 503, "LOCK /a/f", lockBody("exclusive"))
	r.as("eve", 503, "LOCK /b/more", lockBody("exclusive"))
	r.do(404, "GET /b/more")
	r.as("ann", 200, "LOCK /a/f", lockBody("exclusive"))
	r.idle(101)
}

// A client that stops in the middle of a body, or does not read, holds nothing.
func TestSlowClientHoldsNothing(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	body, send := io.Pipe()
	stalled := make(chan int)
	go func() {
		w := httptest.NewRecorder()
		r.handler.ServeHTTP(w, httptest.NewRequest("PUT", "/a/f", body))
		stalled <- w.Code
	}()
	if _, err := io.WriteString(send, "half"); err != nil { // returns when the server has read it
		t.Fatal(err)
	}
	r.do(204, "PUT /a/f", "=whole")
	r.holds("/a/f", "whole")

	reader := &stuck{ResponseRecorder: httptest.NewRecorder(), reached: make(chan bool), goOn: make(chan bool)}
	read := make(chan bool)
	go func() {
		r.handler.ServeHTTP(reader, httptest.NewRequest("GET", "/a/f", nil))
		close(read)
	}()
	<-reader.reached
	r.do(204, "PUT /a/f", "=newer")
	r.do(201, "MOVE /a", "Destination: /c")
	r.do(201, "MOVE /c", "Destination: /a")
	close(reader.goOn)
	<-read
	if got := reader.Body.String(); got != "whole" {
		t.Errorf("the slow reader got %q, want what the file had when it was opened", got)
	}

	send.CloseWithError(io.ErrUnexpectedEOF)
	if got := <-stalled; got != 400 {
		t.Errorf("PUT of half a body = %d, want 400", got)
	}
	r.holds("/a/f", "newer")
	r.idle(0)
}

// A method waits for others for a bounded time, which does not count what its client takes.
func TestPatienceIsBounded(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	r.handler.Patient = 100 * time.Millisecond
	body, send := io.Pipe()
	answered := make(chan int)
	go func() {
		w := httptest.NewRecorder()
		r.handler.ServeHTTP(w, httptest.NewRequest("PUT", "/a/f", body))
		answered <- w.Code
	}()
	if _, err := io.WriteString(send, "slow"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * r.handler.Patient)
	send.Close()
	if code := <-answered; code != 204 {
		t.Errorf("PUT by a slow client = %d, want 204", code)
	}
	method, err := r.locks.Acquire(t.Context(), davlock.Run(treelock.Write("/a")))
	if err != nil {
		t.Fatal(err)
	}
	if w := r.do(503, "PUT /a/f", "=x"); w.Header().Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	method.Release()
	r.holds("/a/f", "slow")
	r.idle(0)
}

// A stuck client does not read its answer before goOn is closed.
type stuck struct {
	*httptest.ResponseRecorder
	reached, goOn chan bool
}

func (s *stuck) Write(p []byte) (int, error) {
	close(s.reached)
	<-s.goOn
	return s.ResponseRecorder.Write(p)
}

// The lock bomb of newer versions of litmus: many clients lock and unlock one file and their own.
// They do so 20,000 times each with TREELOCK_TESTS=long, in half a minute.
func TestLockBomb(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	rounds := 200
	if os.Getenv("TREELOCK_TESTS") == "long" {
		rounds = 20_000
	}
	var group errgroup.Group
	send := func(method, target, token, body string) *httptest.ResponseRecorder {
		req := httptest.NewRequest(method, target, strings.NewReader(strings.TrimPrefix(body, "=")))
		req.Header.Set("Lock-Token", token)
		w := httptest.NewRecorder()
		r.handler.ServeHTTP(w, req)
		return w
	}
	for i := range 20 {
		group.Go(func() error {
			for n := range rounds {
				target := "/a/f"
				if n%2 == 0 {
					target = fmt.Sprintf("/b/%d", i)
				}
				w := send("LOCK", target, "", lockBody("exclusive"))
				if w.Code == http.StatusLocked && n%2 == 1 {
					continue
				}
				if w.Code != 200 && w.Code != 201 {
					return fmt.Errorf("LOCK %s: %d %s", target, w.Code, w.Body)
				}
				if u := send("UNLOCK", target, w.Header().Get("Lock-Token"), ""); u.Code != 204 {
					return fmt.Errorf("UNLOCK %s: %d %s", target, u.Code, u.Body)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	r.idle(0)
}
