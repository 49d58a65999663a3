// Package xmlbody reads and writes the XML bodies of WebDAV that have to do with locks and
// properties. It bounds what a body may cost, and refuses what RFC 4918 calls malformed.
package xmlbody

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds of a body. Longest is for the caller, who reads it.
const (
	Longest   = 64 << 10 // bytes
	deepest   = 32       // elements inside one another
	most      = 4096     // elements
	mostOwner = 4 << 10  // bytes of the owner of a lock
)

// DAV is the namespace of WebDAV.
const DAV = "DAV:"

// ErrMalformed says that a body is no XML, breaks a bound, or is not what its method takes.
var ErrMalformed = errors.New("malformed XML body")

// An element is an element of a body that was read.
type element struct {
	name     xml.Name
	attrs    []xml.Attr
	content  []any // *element and string
	children []*element
}

// parse reads a body. Directives are refused: they define entities, and no client needs one.
func parse(body []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	root := &element{}
	open := []*element{root}
	count := 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, malformed("%v", err)
		}
		top := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			if count++; count > most || len(open) > deepest {
				return nil, malformed("more than %d elements, or deeper than %d", most, deepest)
			}
			if err := checkNames(token); err != nil {
				return nil, err
			}
			e := &element{name: token.Name, attrs: append([]xml.Attr(nil), token.Attr...)}
			top.children, top.content = append(top.children, e), append(top.content, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			top.content = append(top.content, string(token))
		case xml.Directive:
			return nil, malformed("a directive")
		}
	}
	if len(root.children) != 1 {
		return nil, malformed("%d root elements", len(root.children))
	}
	return root.children[0], nil
}

// checkNames refuses a prefix that is bound to no namespace.
func checkNames(e xml.StartElement) error {
	for _, a := range e.Attr {
		if a.Name.Space == "xmlns" && a.Value == "" {
			return malformed("prefix %.20q without a namespace", a.Name.Local)
		}
	}
	return nil
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
}

// Check reports what is wrong with a body, if anything.
func Check(body []byte) error {
	_, err := parse(body)
	return err
}

// child returns the first child with a name in the namespace DAV, nil if there is none.
func (e *element) child(local string) *element {
	for _, c := range e.children {
		if c.name == (xml.Name{Space: DAV, Local: local}) {
			return c
		}
	}
	return nil
}

// write writes the element so that it is well-formed by itself: each name carries its namespace.
func (e *element) write(b *strings.Builder) {
	b.WriteString("<" + e.name.Local + ` xmlns="` + Escape(e.name.Space) + `"`)
	for i, a := range e.attrs {
		switch {
		case a.Name.Space == "xmlns" || a.Name.Local == "xmlns":
		case a.Name.Space == "":
			b.WriteString(" " + a.Name.Local + `="` + Escape(a.Value) + `"`)
		case a.Name.Space == "http://www.w3.org/XML/1998/namespace":
			b.WriteString(" xml:" + a.Name.Local + `="` + Escape(a.Value) + `"`)
		default:
			fmt.Fprintf(b, ` xmlns:a%d="%s" a%d:%s="%s"`, i, Escape(a.Name.Space), i, a.Name.Local, Escape(a.Value))
		}
	}
	b.WriteString(">")
	e.writeContent(b)
	b.WriteString("</" + e.name.Local + ">")
}

// writeContent writes what is inside the element.
func (e *element) writeContent(b *strings.Builder) {
	for _, c := range e.content {
		switch c := c.(type) {
		case string:
			b.WriteString(Escape(c))
		case *element:
			c.write(b)
		}
	}
}

// Escape returns text in the form that XML has for it, also between quotes.
func Escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder never fails
	return b.String()
}
