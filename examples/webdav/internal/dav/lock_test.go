package dav

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/webdav/internal/davlock"
	"github.com/treelock/treelock/manager"
)

// README names each of these tests beside the section of RFC 4918 that it is about.

func TestExclusiveLockRefusesWritesWithoutItsToken(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	token := r.lock("/a/f", "exclusive", "0")
	for _, line := range []string{"PUT /a/f", "PROPPATCH /a/f", "DELETE /a/f", "MOVE /a/f", "LOCK /a/f"} {
		body := "=x"
		switch {
		case strings.HasPrefix(line, "PROPPATCH"):
			body = `=<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="u:">1</x></D:prop></D:set></D:propertyupdate>`
		case strings.HasPrefix(line, "LOCK"):
			body = lockBody("shared")
		}
		w := r.do(423, line, "Destination: /b/f", body)
		r.says(w, "<D:href>/a/f</D:href>")
	}
	r.do(423, "COPY /b", "Destination: /a/f")
	r.holds("/a/f", "old")
	r.do(201, "COPY /a/f", "Destination: /b/copy") // reading is not hindered
	r.do(204, "PUT /a/f", "If: ("+token+")", "=new")
	r.holds("/a/f", "new")
	r.idle(1)
}

func TestSharedLocksShare(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	one := r.lock("/a/f", "shared", "0")
	two := r.lock("/a/f", "shared", "0")
	if one == two {
		t.Error("two locks have one token")
	}
	r.do(423, "LOCK /a/f", lockBody("exclusive"))
	r.do(423, "PUT /a/f", "=x")
	r.do(204, "PUT /a/f", "If: ("+two+")", "=two")
	r.do(204, "UNLOCK /a/f", "Lock-Token: "+two)
	r.do(423, "LOCK /a/f", lockBody("exclusive"))
	r.do(204, "UNLOCK /a/f", "Lock-Token: "+one)
	r.lock("/a/f", "exclusive", "0")
}

func TestDepthInfinityCoversAllBelow(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	token := r.lock("/a", "exclusive", "infinity")
	r.says(r.do(423, "PUT /a/new", "=x"), "<D:href>/a/</D:href>")
	r.do(423, "MKCOL /a/sub")
	r.do(423, "LOCK /a/f", lockBody("exclusive"))
	r.do(201, "PUT /a/new", "If: </a/> ("+token+")", "=x")
	r.do(201, "PUT /a/newer", "If: ("+token+")", "=x") // what is new in the folder is covered too
	r.do(200, "LOCK /a/f", "If: ("+token+")")          // refreshed through a member
	r.do(204, "DELETE /a/f", "If: ("+token+")")
	r.do(204, "UNLOCK /a/new", "Lock-Token: "+token) // ended through a member
	r.do(201, "PUT /a/f", "=x")
	r.idle(0)
}

func TestDepthZeroOfAFolderProtectsItsMembersNames(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	token := r.lock("/a", "exclusive", "0")
	r.do(204, "PUT /a/f", "=x") // the content of a member is free
	r.do(423, "PUT /a/new", "=x")
	r.do(423, "MKCOL /a/new")
	r.do(423, "LOCK /a/new", lockBody("exclusive"))
	r.do(423, "DELETE /a/f")
	r.do(423, "MOVE /a/f", "Destination: /b/f")
	r.do(423, "COPY /b", "Destination: /a/b")
	r.do(423, "DELETE /a")
	r.do(201, "PUT /a/new", "If: </a> ("+token+")", "=x")
	r.do(412, "PUT /a/newer", "If: ("+token+")", "=x") // /a/newer is not covered by the lock
	r.do(204, "DELETE /a/f", "If: </a> ("+token+")")
}

func TestLockOfANewNameMakesAnEmptyFile(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	w := r.do(201, "LOCK /a/new", "Timeout: Second-100", lockBody("exclusive"))
	r.says(w, "<D:lockroot><D:href>/a/new</D:href>", "<D:timeout>Second-100<", `<href xmlns="DAV:">http://me/</href>`)
	r.holds("/a/new", "")
	r.says(r.do(207, "PROPFIND /a", "Depth: 1"), "/a/new")
	r.do(423, "PUT /a/new", "=x")
	r.do(405, "MKCOL /a/new", "If: ("+w.Header().Get("Lock-Token")+")")
	r.do(204, "PUT /a/new", "If: ("+w.Header().Get("Lock-Token")+")", "=x")
	r.do(409, "LOCK /none/new", lockBody("exclusive"))
	r.do(409, "LOCK /a/folder/", lockBody("exclusive"))
	r.idle(1)
}

func TestLockOfAFolderNamesLockedMembers(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	r.lock("/a/f", "exclusive", "0")
	w := r.do(207, "LOCK /a", lockBody("exclusive"))
	r.says(w, "<D:href>/a/f</D:href><D:status>HTTP/1.1 423 Locked<", "<D:href>/a/</D:href><D:status>HTTP/1.1 424 Failed Dependency<")
	r.lock("/a", "exclusive", "0")
	r.idle(2)
}

func TestMethodsOnAFolderNameLockedMembers(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	token := r.lock("/a/f", "exclusive", "0")
	for _, line := range []string{"DELETE /a", "MOVE /a"} {
		r.says(r.do(207, line, "Destination: /c"), "<D:href>/a/f</D:href><D:status>HTTP/1.1 423 Locked<", "lock-token-submitted")
	}
	r.says(r.do(207, "COPY /b", "Destination: /a"), "<D:href>/a/f</D:href>")
	r.holds("/a/f", "old") // nothing has changed
	r.do(201, "MOVE /a", "Destination: /c", "If: </a/f> ("+token+")")
	r.holds("/c/f", "old")
	r.idle(0) // the lock does not move: it has ended
}

func TestLocksOfWhatIsDeletedEnd(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	token := r.lock("/a/f", "exclusive", "0")
	r.do(204, "DELETE /a", "If: </a/f> ("+token+")")
	r.do(201, "MKCOL /a")
	r.do(201, "PUT /a/f", "=x")
	r.do(409, "UNLOCK /a/f", "Lock-Token: "+token)
	r.idle(0)
}

func TestOverwriteKeepsTheLockOfTheTarget(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	r.do(201, "PUT /b/g", "=old")
	token := r.lock("/b/g", "exclusive", "0")
	r.do(204, "COPY /a/f", "Destination: /b/g", "If: </b/g> ("+token+")")
	r.do(423, "PUT /b/g", "=x")
	r.do(204, "MOVE /a/f", "Destination: /b/g", "If: </b/g> ("+token+")")
	r.idle(1)
}

func TestRefresh(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	token := r.lock("/a/f", "exclusive", "0")
	w := r.do(200, "LOCK /a/f", "If: ("+token+")", "Timeout: Infinite, Second-4100000000")
	r.says(w, "<D:timeout>Second-3600<", strings.Trim(token, "<>"))
	if w.Header().Get("Lock-Token") != "" {
		t.Error("a refresh has a Lock-Token header")
	}
	r.do(412, "LOCK /a", "If: </a/f> ("+token+")") // /a is not covered
	r.do(412, "LOCK /a/f", "If: (<urn:uuid:none>)")
	r.do(400, "LOCK /a/f")
}

func TestUnlock(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	token := r.lock("/a/f", "exclusive", "0")
	r.do(400, "UNLOCK /a/f")
	r.do(400, "UNLOCK /a/f", "Lock-Token: urn:x")
	r.says(r.do(409, "UNLOCK /b", "Lock-Token: "+token), "lock-token-matches-request-uri")
	r.do(409, "UNLOCK /a/f", "Lock-Token: <urn:uuid:none>")
	r.do(204, "UNLOCK /a/f", "Lock-Token: "+token)
	r.do(409, "UNLOCK /a/f", "Lock-Token: "+token)
	r.idle(0)
}

func TestTokenIsOfNoUseToAnotherUser(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	token := r.as("ann", 200, "LOCK /a/f", lockBody("exclusive")).Header().Get("Lock-Token")
	r.as("bob", 423, "PUT /a/f", "If: ("+token+")", "=x")
	r.as("bob", 403, "UNLOCK /a/f", "Lock-Token: "+token)
	r.as("bob", 403, "LOCK /a/f", "If: ("+token+")")
	r.as("ann", 204, "PUT /a/f", "If: ("+token+")", "=x")
}

func TestLockDiscovery(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	tree, file := r.lock("/a", "shared", "infinity"), r.lock("/a/f", "shared", "0")
	w := r.do(207, "PROPFIND /a/f", "Depth: 0")
	r.says(w, strings.Trim(tree, "<>"), strings.Trim(file, "<>"), "<D:depth>infinity</D:depth>", "<D:lockroot><D:href>/a/</D:href>",
		"<D:lockentry><D:lockscope><D:shared/>", "<D:lockentry><D:lockscope><D:exclusive/>")
	w = r.do(207, "PROPFIND /b", "Depth: 0", `=<D:propfind xmlns:D="DAV:"><D:prop><D:lockdiscovery/><x xmlns="u:"/></D:prop></D:propfind>`)
	r.says(w, "<D:lockdiscovery/></D:prop><D:status>HTTP/1.1 200", `<x xmlns="u:"/></D:prop><D:status>HTTP/1.1 404`)
}

// LOCK waits for a method that runs, though not for another lock. (L3)
func TestLockWaitsForRunningMethods(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	method, err := r.locks.Acquire(t.Context(), davlock.Run(treelock.Write("/a/f")))
	if err != nil {
		t.Fatal(err)
	}
	locked := make(chan int)
	go func() {
		body := strings.NewReader(strings.TrimPrefix(lockBody("exclusive"), "="))
		w := httptest.NewRecorder()
		r.handler.ServeHTTP(w, httptest.NewRequest("LOCK", "/a", body))
		locked <- w.Code
	}()
	for {
		s, err := r.locks.Snapshot(t.Context(), manager.Query[Path]{})
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Waiters) == 1 {
			break
		}
		select {
		case code := <-locked:
			t.Fatalf("LOCK = %d while a method writes below", code)
		default:
		}
	}
	method.Release()
	if code := <-locked; code != 200 {
		t.Errorf("LOCK = %d", code)
	}
}

func TestLockWithABadDepthOrBodyIsRefused(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	r.do(400, "LOCK /a/f", "Depth: 1", lockBody("exclusive"))
	r.do(400, "LOCK /a/f", "Depth: 2", lockBody("exclusive"))
	r.do(400, "LOCK /a/f", lockBody("other"))
	r.do(400, "LOCK /a/f", "=<lockinfo/>")
	r.do(400, "LOCK /a/f", "=<")
	r.do(400, "LOCK /new", "Depth: 1", lockBody("exclusive"))
	r.do(404, "GET /new")
	r.idle(0)
}
