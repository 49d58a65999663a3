package xmlbody

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// A Lock is what clients see of a lock.
type Lock struct {
	Token, Root, Owner string // Root is an escaped URL path, Owner is XML
	Infinite, Shared   bool
	Left               time.Duration
}

// SupportedLock is the content of the property supportedlock.
const SupportedLock = `<D:lockentry><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>` +
	`<D:lockentry><D:lockscope><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>`

const header = `<?xml version="1.0" encoding="utf-8"?>` + "\n"

// LockDiscovery returns the content of the property lockdiscovery.
func LockDiscovery(locks []Lock) string {
	var b strings.Builder
	for _, l := range locks {
		scope, depth := "exclusive", "0"
		if l.Shared {
			scope = "shared"
		}
		if l.Infinite {
			depth = "infinity"
		}
		b.WriteString(`<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:` + scope +
			`/></D:lockscope><D:depth>` + depth + `</D:depth>`)
		if l.Owner != "" {
			b.WriteString(`<D:owner>` + l.Owner + `</D:owner>`)
		}
		fmt.Fprintf(&b, `<D:timeout>Second-%d</D:timeout>`, max(1, int64((l.Left+time.Second-1)/time.Second)))
		b.WriteString(`<D:locktoken><D:href>` + Escape(l.Token) + `</D:href></D:locktoken><D:lockroot><D:href>` +
			Escape(l.Root) + `</D:href></D:lockroot></D:activelock>`)
	}
	return b.String()
}

// LockAnswer returns the body of the answer to a LOCK.
func LockAnswer(l Lock) string {
	return header + `<D:prop xmlns:D="DAV:"><D:lockdiscovery>` + LockDiscovery([]Lock{l}) + `</D:lockdiscovery></D:prop>`
}

// Error returns the body of a refusal: a condition of RFC 4918, section 16, with URL paths.
func Error(condition string, hrefs ...string) string {
	return header + errorElement(` xmlns:D="DAV:"`, condition, hrefs)
}

func errorElement(attr, condition string, hrefs []string) string {
	var b strings.Builder
	b.WriteString(`<D:error` + attr + `><D:` + condition + `>`)
	for _, href := range hrefs {
		b.WriteString(`<D:href>` + Escape(href) + `</D:href>`)
	}
	b.WriteString(`</D:` + condition + `></D:error>`)
	return b.String()
}

// A Response is the status of one resource in a multistatus.
type Response struct {
	Href      string
	Status    int
	Condition string   // "" for none
	Hrefs     []string // of the condition
	Propstats string   // XML; then there is no status
}

// Multistatus returns the body of an answer with status 207.
func Multistatus(responses []Response) string {
	var b strings.Builder
	b.WriteString(header + `<D:multistatus xmlns:D="DAV:">`)
	for _, r := range responses {
		b.WriteString(`<D:response><D:href>` + Escape(r.Href) + `</D:href>` + r.Propstats)
		if r.Propstats == "" {
			b.WriteString(`<D:status>` + StatusLine(r.Status) + `</D:status>`)
		}
		if r.Condition != "" {
			b.WriteString(errorElement("", r.Condition, r.Hrefs))
		}
		b.WriteString(`</D:response>`)
	}
	b.WriteString(`</D:multistatus>`)
	return b.String()
}

// StatusLine returns the text of a status in a multistatus.
func StatusLine(status int) string {
	return fmt.Sprintf("HTTP/1.1 %d %s", status, http.StatusText(status))
}
