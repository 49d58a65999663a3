// Package ifheader parses and evaluates the If header of WebDAV: RFC 4918, section 10.4.
package ifheader

import (
	"errors"
	"fmt"
	"strings"
)

// Bounds of a header. A longer one is refused, so that a request cannot cost more than its size.
const (
	longest        = 16 << 10 // bytes
	mostConditions = 256      // each may cost a look at a file
)

// ErrMalformed says that a header does not follow the grammar, or is too large.
var ErrMalformed = errors.New("malformed If header")

// A Header is an If header. It holds if one of its lists does.
type Header struct{ Lists []List }

// A List is a list of conditions of one resource. It holds if all of them do.
type List struct {
	Tag        string // the URL of the resource, "" for that of the request
	Conditions []Condition
}

// A Condition is one state token or entity tag, one of the two fields. Not binds to one condition.
type Condition struct {
	Not   bool
	Token string // without the angle brackets
	ETag  string // with its quotes, and with W/ if it is weak
}

// Parse parses a header. The error wraps ErrMalformed and says where.
func Parse(s string) (Header, error) {
	if len(s) > longest {
		return Header{}, fmt.Errorf("%w: %d bytes, more than %d", ErrMalformed, len(s), longest)
	}
	p := parser{rest: s}
	h := p.header()
	if p.wrong != "" {
		return Header{}, fmt.Errorf("%w: %s at byte %d", ErrMalformed, p.wrong, len(s)-len(p.rest))
	}
	return h, nil
}

// Tokens returns all state tokens of the header. Each counts as submitted, wherever it is: section
// 10.4.1.
func (h Header) Tokens() []string {
	var tokens []string
	for _, list := range h.Lists {
		for _, c := range list.Conditions {
			if c.Token != "" {
				tokens = append(tokens, c.Token)
			}
		}
	}
	return tokens
}

// Holds reports whether a list holds. Match reports whether the resource with this tag has the
// state that a condition names; Holds applies Not.
func (h Header) Holds(match func(tag string, c Condition) bool) bool {
	for _, list := range h.Lists {
		holds := true
		for _, c := range list.Conditions {
			if match(list.Tag, c) == c.Not {
				holds = false
				break
			}
		}
		if holds {
			return true
		}
	}
	return false
}

// A parser reads a header from the left. After the first error, wrong says what it was.
type parser struct {
	rest       string
	wrong      string
	conditions int
}

// header parses either untagged lists alone or tagged lists alone.
func (p *parser) header() Header {
	var h Header
	p.space()
	tagged := strings.HasPrefix(p.rest, "<")
	for p.wrong == "" && (p.rest != "" || len(h.Lists) == 0) {
		tag := ""
		if tagged {
			tag = p.coded()
		}
		for first := true; p.wrong == "" && (first || strings.HasPrefix(p.rest, "(")); first = false {
			h.Lists = append(h.Lists, List{tag, p.list()})
		}
	}
	return h
}

// list parses "(" conditions ")".
func (p *parser) list() []Condition {
	if !p.accept("(") {
		p.fail("no list")
		return nil
	}
	var conditions []Condition
	for p.wrong == "" && !p.accept(")") {
		conditions = append(conditions, p.condition())
	}
	if len(conditions) == 0 {
		p.fail("empty list")
	}
	return conditions
}

// condition parses ["Not"] and a token or an entity tag.
func (p *parser) condition() (c Condition) {
	if p.conditions++; p.conditions > mostConditions {
		p.fail(fmt.Sprintf("more than %d conditions", mostConditions))
		return c
	}
	if len(p.rest) >= 3 && strings.EqualFold(p.rest[:3], "Not") {
		c.Not = true
		p.rest = p.rest[3:]
		p.space()
	}
	switch {
	case strings.HasPrefix(p.rest, "<"):
		c.Token = p.coded()
	case p.accept("["):
		c.ETag = p.etag()
	default:
		p.fail("no condition")
	}
	return c
}

// coded parses "<" URL ">".
func (p *parser) coded() string {
	text, ok := strings.CutPrefix(p.rest, "<")
	url, rest, closed := strings.Cut(text, ">")
	if !ok || !closed || url == "" || strings.ContainsAny(url, "< \t") {
		p.fail("no URL in angle brackets")
		return ""
	}
	p.rest = rest
	p.space()
	return url
}

// etag parses an entity tag and "]". A tag without quotes never equals one of the server, but
// clients send such tags to make a condition fail.
func (p *parser) etag() string {
	text := strings.TrimPrefix(p.rest, "W/")
	end := strings.IndexByte(p.rest, ']')
	if strings.HasPrefix(text, `"`) {
		quote := strings.IndexByte(text[1:], '"')
		end = len(p.rest) - len(text) + quote + 2 // behind the closing quote
		if quote < 0 || end >= len(p.rest) || p.rest[end] != ']' {
			end = -1
		}
	}
	if end <= 0 {
		p.fail("no entity tag in brackets")
		return ""
	}
	tag := p.rest[:end]
	p.rest = p.rest[end+1:]
	p.space()
	return tag
}

// accept skips prefix and the space behind it, if the rest begins with it.
func (p *parser) accept(prefix string) bool {
	rest, ok := strings.CutPrefix(p.rest, prefix)
	if ok {
		p.rest = rest
		p.space()
	}
	return ok
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// fail records the first error.
func (p *parser) fail(wrong string) {
	if p.wrong == "" {
		p.wrong = wrong
	}
}
