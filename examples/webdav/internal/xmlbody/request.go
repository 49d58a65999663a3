package xmlbody

import (
	"encoding/xml"
	"strings"
)

// A LockInfo is the body of a LOCK that makes a lock.
type LockInfo struct {
	Shared bool
	Owner  string // the content of the owner element, well-formed by itself; "" if there is none
}

// ParseLockInfo reads a lockinfo.
func ParseLockInfo(body []byte) (LockInfo, error) {
	root, err := parse(body)
	if err != nil {
		return LockInfo{}, err
	}
	if root.name != (xml.Name{Space: DAV, Local: "lockinfo"}) {
		return LockInfo{}, malformed("%.40q is no lockinfo", root.name.Local)
	}
	scope, kind := root.child("lockscope"), root.child("locktype")
	if scope == nil || kind == nil || kind.child("write") == nil {
		return LockInfo{}, malformed("no lockscope, or no locktype write")
	}
	info := LockInfo{Shared: scope.child("shared") != nil}
	if info.Shared == (scope.child("exclusive") != nil) {
		return LockInfo{}, malformed("the lockscope is not one of exclusive and shared")
	}
	if owner := root.child("owner"); owner != nil {
		var b strings.Builder
		owner.writeContent(&b)
		info.Owner = b.String()
	}
	if len(info.Owner) > mostOwner {
		return LockInfo{}, malformed("an owner of %d bytes, more than %d", len(info.Owner), mostOwner)
	}
	return info, nil
}

// A Propfind is the body of a PROPFIND. Names are those of prop or include.
type Propfind struct {
	All, NamesOnly bool
	Names          []xml.Name
}

// ParsePropfind reads a propfind. An empty body asks for all properties.
func ParsePropfind(body []byte) (Propfind, error) {
	if len(body) == 0 {
		return Propfind{All: true}, nil
	}
	root, err := parse(body)
	if err != nil {
		return Propfind{}, err
	}
	if root.name != (xml.Name{Space: DAV, Local: "propfind"}) {
		return Propfind{}, malformed("%.40q is no propfind", root.name.Local)
	}
	prop, all, names := root.child("prop"), root.child("allprop"), root.child("propname")
	p := Propfind{All: all != nil, NamesOnly: names != nil}
	kinds := 0
	for _, e := range []*element{prop, all, names} {
		if e != nil {
			kinds++
		}
	}
	include := root.child("include")
	if kinds != 1 || include != nil && all == nil {
		return Propfind{}, malformed("not one of prop, allprop and propname")
	}
	if include != nil {
		prop = include
	}
	if prop != nil {
		for _, e := range prop.children {
			p.Names = append(p.Names, e.name)
		}
	}
	return p, nil
}
