package dav

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/webdav"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/webdav/internal/davlock"
	"github.com/treelock/treelock/examples/webdav/internal/files"
	"github.com/treelock/treelock/examples/webdav/internal/xmlbody"
)

// mostMembers bounds the members in one answer: it is in memory until it is sent.
const mostMembers = 50_000

// mostAnswer bounds the bytes of a multistatus: each member may have many properties and locks.
const mostAnswer = 64 << 20

// propfind handles PROPFIND. Of depth infinity it is refused, as RFC 4918 permits: a client could
// ask for all of the tree.
func (h *Handler) propfind(c *call) error {
	find, err := xmlbody.ParsePropfind(c.body)
	if err != nil {
		return refuse(http.StatusBadRequest, "%v", err)
	}
	switch depth := c.Header.Get("Depth"); depth {
	case "0", "1":
		return h.claim(c, treelock.ReadNode(c.path), func() error { return h.describe(c, find, depth == "1") })
	case "", "infinity":
		return &refusal{status: http.StatusForbidden, body: xmlbody.Error("propfind-finite-depth")}
	}
	return refuse(http.StatusBadRequest, "the Depth is not one of 0, 1 and infinity")
}

// describe makes the multistatus of a resource, and of its members.
func (h *Handler) describe(c *call, find xmlbody.Propfind, members bool) error {
	if err := h.exists(c); err != nil {
		return err
	}
	resource, infos, err := h.response(c, c.path, find, members)
	if err != nil {
		return err
	}
	responses := []xmlbody.Response{resource}
	size := len(resource.Propstats)
	for _, info := range infos {
		p := treelock.CleanPath(path.Join(string(c.path), info.Name()))
		member, err := h.member(c, p, find, info)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			continue // a program that does not know the locks removes files, or keeps them to itself
		}
		if err != nil {
			return err
		}
		if size += len(member.Propstats); size > mostAnswer {
			return refuse(http.StatusInsufficientStorage, "the answer has more than %d bytes", mostAnswer)
		}
		responses = append(responses, member)
	}
	c.answer.xml(http.StatusMultiStatus, xmlbody.Multistatus(responses))
	return nil
}

// response describes one resource, and returns its members if they are wanted.
func (h *Handler) response(c *call, p Path, find xmlbody.Propfind, members bool) (xmlbody.Response, []fs.FileInfo, error) {
	f, err := h.Files.OpenFile(c.Context(), string(p), os.O_RDONLY, 0)
	if err != nil {
		return xmlbody.Response{}, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return xmlbody.Response{}, nil, err
	}
	var infos []fs.FileInfo
	if members && info.IsDir() {
		if infos, err = readdir(f); err != nil {
			return xmlbody.Response{}, nil, err
		}
	}
	dead := map[xml.Name]webdav.Property{}
	if holder, ok := f.(webdav.DeadPropsHolder); ok {
		if dead, err = holder.DeadProps(); err != nil {
			return xmlbody.Response{}, nil, err
		}
	}
	response, err := h.describeAs(c, p, find, info, dead)
	return response, infos, err
}

// member describes a member of a folder.
func (h *Handler) member(c *call, p Path, find xmlbody.Propfind, info fs.FileInfo) (xmlbody.Response, error) {
	m, ok := info.(files.Member)
	if !ok {
		response, _, err := h.response(c, p, find, false)
		return response, err
	}
	dead, err := m.DeadProps()
	if err != nil {
		return xmlbody.Response{}, err
	}
	return h.describeAs(c, p, find, info, dead)
}

// describeAs describes a resource of which all is known but its locks.
func (h *Handler) describeAs(c *call, p Path, find xmlbody.Propfind, info fs.FileInfo, dead map[xml.Name]webdav.Property) (xmlbody.Response, error) {
	live := h.live(p, info)
	if lockName := (xml.Name{Space: xmlbody.DAV, Local: "lockdiscovery"}); find.All || slices.Contains(find.Names, lockName) {
		locks, err := h.Locks.Covering(p)
		if err != nil {
			return xmlbody.Response{}, err
		}
		live[lockDiscovery].content = xmlbody.LockDiscovery(h.shown(c, locks))
	}
	return xmlbody.Response{Href: href(p, info.IsDir()), Propstats: propstats(find, live, dead)}, nil
}

// readdir returns the members of a folder, by their names.
func readdir(f webdav.File) ([]fs.FileInfo, error) {
	infos, err := f.Readdir(mostMembers + 1)
	if err != nil && err != io.EOF { // an empty folder gives EOF
		return nil, err
	}
	if len(infos) > mostMembers {
		return nil, refuse(http.StatusInsufficientStorage, "the folder has more than %d members", mostMembers)
	}
	slices.SortFunc(infos, func(a, b fs.FileInfo) int { return strings.Compare(a.Name(), b.Name()) })
	return infos, nil
}

// A liveProp is a property that the server computes. Its content is XML.
type liveProp struct{ name, content string }

// lockDiscovery is the index of that property in what live returns. It costs more than the others.
const lockDiscovery = 0

// live returns the live properties of a resource, with a lockdiscovery that is empty.
func (h *Handler) live(p Path, info fs.FileInfo) []liveProp {
	kind, name := "", path.Base(string(p))
	if info.IsDir() {
		kind = "<D:collection/>"
	}
	if p == "/" {
		name = ""
	}
	props := []liveProp{
		lockDiscovery: {"lockdiscovery", ""},
		{"resourcetype", kind}, {"displayname", xmlbody.Escape(name)},
		{"getlastmodified", info.ModTime().UTC().Format(http.TimeFormat)},
		{"creationdate", info.ModTime().UTC().Format("2006-01-02T15:04:05Z")},
		{"supportedlock", xmlbody.SupportedLock},
	}
	if info.IsDir() {
		return props
	}
	kind = mime.TypeByExtension(path.Ext(name))
	if kind == "" {
		kind = "application/octet-stream"
	}
	return append(props, liveProp{"getcontentlength", strconv.FormatInt(info.Size(), 10)},
		liveProp{"getetag", xmlbody.Escape(files.ETag(info))}, liveProp{"getcontenttype", xmlbody.Escape(kind)})
}

// shown returns what clients see of locks.
func (h *Handler) shown(c *call, locks []davlock.Info) []xmlbody.Lock {
	shown := make([]xmlbody.Lock, 0, len(locks))
	root := ""
	for i, l := range locks {
		if i == 0 || l.Root != locks[i-1].Root { // they are sorted by root, and each costs a look
			root = h.href(c, l.Root)
		}
		shown = append(shown, xmlbody.Lock{Token: l.Token, Root: root, Owner: l.Owner,
			Infinite: l.Infinite, Shared: l.Shared, Left: l.Left})
	}
	return shown
}

// propstats returns the properties that are asked for, those that exist and those that do not.
func propstats(find xmlbody.Propfind, live []liveProp, dead map[xml.Name]webdav.Property) string {
	var found, missing strings.Builder
	write := func(name xml.Name) {
		if i := slices.IndexFunc(live, func(l liveProp) bool { return name == (xml.Name{Space: xmlbody.DAV, Local: l.name}) }); i >= 0 {
			writeProp(&found, find, name, "", live[i].content)
		} else if d, ok := dead[name]; ok {
			writeProp(&found, find, name, d.Lang, string(d.InnerXML))
		} else {
			writeProp(&missing, find, name, "", "")
		}
	}
	var names []xml.Name
	if find.All || find.NamesOnly {
		for _, l := range live {
			names = append(names, xml.Name{Space: xmlbody.DAV, Local: l.name})
		}
		for name := range dead {
			names = append(names, name)
		}
	}
	seen := map[xml.Name]bool{}
	for _, name := range append(names, find.Names...) {
		if !seen[name] {
			seen[name] = true
			write(name)
		}
	}
	text := ""
	if found.Len() > 0 || missing.Len() == 0 {
		text = propstat(found.String(), http.StatusOK)
	}
	if missing.Len() > 0 {
		text += propstat(missing.String(), http.StatusNotFound)
	}
	return text
}

func propstat(props string, status int) string {
	return "<D:propstat><D:prop>" + props + "</D:prop><D:status>" + xmlbody.StatusLine(status) + "</D:status></D:propstat>"
}

func writeProp(b *strings.Builder, find xmlbody.Propfind, name xml.Name, lang, content string) {
	tag, attr := "D:"+name.Local, ""
	if name.Space != xmlbody.DAV {
		tag, attr = name.Local, ` xmlns="`+xmlbody.Escape(name.Space)+`"`
	}
	if lang != "" {
		attr += ` xml:lang="` + xmlbody.Escape(lang) + `"`
	}
	if find.NamesOnly || content == "" {
		b.WriteString("<" + tag + attr + "/>")
		return
	}
	b.WriteString("<" + tag + attr + ">" + content + "</" + tag + ">")
}

// list makes a page of the members of a folder, for a browser.
func (h *Handler) list(c *call, f webdav.File) error {
	infos, err := readdir(f)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "<!doctype html><meta charset=utf-8><title>%[1]s</title><h1>%[1]s</h1><ul>\n", html.EscapeString(string(c.path)))
	for _, info := range infos {
		p := treelock.CleanPath(path.Join(string(c.path), info.Name()))
		fmt.Fprintf(&b, "<li><a href=\"%s\">%s</a>\n", html.EscapeString(href(p, info.IsDir())), html.EscapeString(info.Name()))
	}
	c.answer.header.Set("Content-Type", "text/html; charset=utf-8")
	_, err = c.answer.Write(b.Bytes())
	return err
}
