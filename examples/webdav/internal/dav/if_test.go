package dav

import (
	"testing"

	"github.com/treelock/treelock/examples/webdav/internal/davlock"
)

func TestIfHeader(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	token := r.lock("/a/f", "exclusive", "0")
	etag := "[" + r.do(200, "GET /a/f").Header().Get("ETag") + "]"
	for _, test := range []struct {
		header string
		want   int
	}{
		{"(" + token + ")", 207},
		{"(" + token + " " + etag + ")", 207},
		{"(" + token + ` ["bad"])`, 412},
		{"(" + token + ` ["bad"]) (` + token + " " + etag + ")", 207},
		{"(" + token + ") (Not <DAV:no-lock>)", 207},
		{"(" + token + ` ["bad"]) (Not <DAV:no-lock> ["bad"])`, 412}, // Not binds to one condition
		{"(" + token + ` ["bad"]) (Not <DAV:no-lock>)`, 207},
		{"(<DAV:no-lock>)", 412},
		{"(<DAV:no-lock>) (Not " + token + ")", 412},
		{"(Not <DAV:no-lock>)", 423},               // it holds, but presents no token
		{"(<urn:x>) (Not <DAV:no-lock>)", 423},     // the same
		{"(Not <DAV:no-lock> " + etag + ")", 423},  // the same
		{"(Not <urn:x>) (Not " + token + ")", 207}, // a token counts wherever it is
		{"</a/f> (" + token + ")", 207},            // a tagged list
		{"<http://example.com/a/f> (" + token + ")", 207},
		{"<http://elsewhere/a/f> (" + token + ")", 412},
		{"</b> (" + token + ")", 412}, // /b is not locked
		{"</b> (Not " + token + ")", 207},
		{"</b> (" + token + ") </a/f> (" + token + ")", 207},
		{"</none> ([\"x\"])", 412},
		{"</none> (Not [\"x\"])", 423},
		{"</../a> (" + token + ")", 412},
		{"(" + token, 400},
		{"()", 400},
		{"(Not)", 400},
	} {
		r.do(test.want, "PROPPATCH /a/f", "If: "+test.header,
			`=<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="u:">1</x></D:prop></D:set></D:propertyupdate>`)
	}
	r.do(412, "GET /a/f", "If: (<DAV:no-lock>)") // a read depends on it as well
	r.do(204, "UNLOCK /a/f", "Lock-Token: "+token)
	r.do(412, "PUT /a/f", "If: ("+token+")", "=x") // the token of a lock that has ended
	r.idle(0)
}

func TestIfMatchAndIfNoneMatch(t *testing.T) {
	r := newRig(t, davlock.Limits{})
	etag := r.do(200, "GET /a/f").Header().Get("ETag")
	r.do(412, "PUT /a/f", "If-None-Match: *", "=x")
	r.do(201, "PUT /a/new", "If-None-Match: *", "=x")
	r.do(412, "PUT /a/none", "If-Match: *", "=x")
	r.do(412, "PUT /a/f", `If-Match: "x"`, "=x")
	newer := r.do(204, "PUT /a/f", `If-Match: "x", `+etag, "=old").Header().Get("ETag")
	if newer == etag {
		t.Error("two contents of a file have one entity tag")
	}
	r.do(412, "DELETE /a/f", "If-Match: "+etag)
	r.do(304, "GET /a/f", "If-None-Match: "+newer)
	r.do(204, "DELETE /a/f", "If-Match: "+newer)
}
