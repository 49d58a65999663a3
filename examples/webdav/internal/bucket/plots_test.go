package bucket

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing/iotest"

	"golang.org/x/net/webdav"

	"github.com/treelock/treelock/examples/webdav/internal/files"
)

// plots are what each system does.
var plots = map[string]func(s system){
	"a file has what was committed": func(s system) {
		etag := s.write("/f", "old")
		info, err := s.Stat(s.Context(), "/f")
		if err != nil || info.Size() != 3 || info.IsDir() || info.Name() != "f" || files.ETag(info) != etag || info.ModTime().Year() < 2000 {
			s.Errorf("Stat = %v, %v, want the entity tag %s", info, err, etag)
		}
		s.holds("/f", "old")
		if again := s.write("/f", "new"); again == etag {
			s.Error("two contents have one entity tag")
		}
		s.holds("/f", "new")
		s.has("/", "f")
	},
	"names with all that a URL may have": func(s system) {
		names := []string{"ü & %", "a b", "x;y", "a+b", "q#", "__0x2f__", "~", "'\"", "*", ".x", "Ärger.TXT"}
		if !strings.Contains(s.Name(), "S3") { // the server of the test does not copy from such a name
			names = append(names, "q?")
		}
		for _, name := range names {
			s.write("/"+name, name)
			s.holds("/"+name, name)
		}
		s.has("/", names...)
		for _, name := range names {
			s.ok(s.Rename(s.Context(), "/"+name, "/moved"))
			s.holds("/moved", name)
		}
	},
	"a part is read from where Seek says": func(s system) {
		text := strings.Repeat("0123456789", 100)
		s.write("/f", text)
		f := s.open("/f", os.O_RDONLY)
		defer f.Close()
		for _, at := range []int64{0, 700, 3, 999, 512, 0} {
			part := make([]byte, 5)
			_, err := f.Seek(at, io.SeekStart)
			if err == nil {
				_, err = io.ReadFull(f, part[:min(5, 1000-at)])
			}
			if got := string(part[:min(5, 1000-at)]); err != nil || got != text[at:min(1000, at+5)] {
				s.Errorf("at %d is %q, %v", at, got, err)
			}
		}
		if n, err := f.Seek(-3, io.SeekEnd); n != 997 || err != nil {
			s.Errorf("Seek = %d, %v", n, err)
		}
		if _, err := f.Seek(-1, io.SeekStart); err == nil {
			s.Error("Seek before the start")
		}
	},
	"an open file stays as it is": func(s system) {
		old := strings.Repeat("old", 1000)
		s.write("/f", old)
		f := s.open("/f", os.O_RDONLY)
		defer f.Close()
		if h, ok := f.(files.Holder); ok {
			s.ok(h.Hold())
		}
		s.write("/f", strings.Repeat("new", 1000))
		if text, err := io.ReadAll(f); err != nil || string(text) != old {
			s.Errorf("the open file has %.10q, %v", text, err)
		}
	},
	"Mkdir makes a folder": func(s system) {
		s.mkdir("/a", "/a/b")
		s.write("/f", "x")
		info, err := s.Stat(s.Context(), "/a/b")
		if err != nil || !info.IsDir() || info.Name() != "b" {
			s.Errorf("Stat = %v, %v", info, err)
		}
		s.has("/", "a/", "f")
		s.has("/a", "b/")
		s.has("/a/b")
		for name, want := range map[string]error{"/a": fs.ErrExist, "/f": fs.ErrExist, "/": fs.ErrExist, "/none/b": fs.ErrNotExist, "/f/b": nil} {
			s.fails(s.Mkdir(s.Context(), name, 0o777), want, "Mkdir "+name)
		}
	},
	"what is missing is not there": func(s system) {
		s.write("/f", "x")
		for _, name := range []string{"/none", "/none/x"} {
			_, err := s.Stat(s.Context(), name)
			s.fails(err, fs.ErrNotExist, "Stat")
			_, err = s.OpenFile(s.Context(), name, os.O_RDWR, 0)
			s.fails(err, fs.ErrNotExist, "OpenFile")
			if !os.IsNotExist(err) {
				s.Error("x/net/webdav does not know this error")
			}
			s.fails(s.RemoveAll(s.Context(), name), fs.ErrNotExist, "RemoveAll")
			s.fails(s.Rename(s.Context(), name, "/g"), fs.ErrNotExist, "Rename")
			_, err = s.SetAside(s.Context(), name)
			s.fails(err, fs.ErrNotExist, "SetAside")
		}
		_, err := s.Stat(s.Context(), "/f/x")
		s.fails(err, nil, "Stat below a file")
		_, err = s.OpenFile(s.Context(), "/none/x", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
		s.fails(err, fs.ErrNotExist, "OpenFile in a folder that is missing")
	},
	"hidden names are out of reach": func(s system) {
		s.write("/f", "x")
		s.set("/f", "1")
		for _, name := range []string{"/.DAV", "/.dav/uploads", "/a/.DAV/x"} {
			_, err := s.Stat(s.Context(), name)
			s.fails(err, fs.ErrPermission, "Stat")
			_, err = s.OpenFile(s.Context(), name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0)
			s.fails(err, fs.ErrPermission, "OpenFile")
			s.fails(s.Mkdir(s.Context(), name, 0o777), fs.ErrPermission, "Mkdir")
			s.fails(s.RemoveAll(s.Context(), name), fs.ErrPermission, "RemoveAll")
			s.fails(s.Rename(s.Context(), "/f", name), fs.ErrPermission, "Rename")
			_, err = s.SetAside(s.Context(), name)
			s.fails(err, fs.ErrPermission, "SetAside")
		}
		s.has("/", "f")
	},
	"the root stays": func(s system) {
		s.has("/")
		f := s.open("/", os.O_RDONLY)
		defer f.Close()
		if infos, err := f.Readdir(10); len(infos) != 0 || err != io.EOF {
			s.Errorf("Readdir of an empty folder = %v, %v, want EOF", infos, err)
		}
		s.fails(s.RemoveAll(s.Context(), "/"), nil, "RemoveAll")
		s.fails(s.Rename(s.Context(), "/", "/a"), nil, "Rename")
		_, err := s.SetAside(s.Context(), "/")
		s.fails(err, fs.ErrPermission, "SetAside")
		s.set("/", "of the root")
		s.isSet("/", "of the root")
		s.has("/")
	},
	"Readdir reads in parts": func(s system) {
		for i := range 5 {
			s.write(fmt.Sprintf("/%d", i), "x")
		}
		f := s.open("/", os.O_RDONLY)
		defer f.Close()
		for n := 0; ; {
			infos, err := f.Readdir(2)
			if n += len(infos); err == io.EOF && n == 5 {
				break
			}
			if err != nil || len(infos) > 2 {
				s.Fatalf("%d members, %v", n, err)
			}
		}
	},
	"a file that is written is there after Close": func(s system) {
		for _, text := range []string{"first", "second, longer"} {
			f := s.open("/f", os.O_RDWR|os.O_CREATE|os.O_TRUNC)
			if _, err := io.WriteString(f, text); err != nil {
				s.Fatal(err)
			}
			s.ok(f.Close())
			s.holds("/f", text)
		}
		from, to := s.open("/f", os.O_RDONLY), s.open("/g", os.O_RDWR|os.O_CREATE|os.O_TRUNC)
		defer from.Close()
		if n, err := io.Copy(to, from); n != 14 || err != nil {
			s.Errorf("Copy = %d, %v", n, err)
		}
		patch := []webdav.Proppatch{{Props: []webdav.Property{{XMLName: xml.Name{Space: "u:", Local: "x"}, InnerXML: []byte("copied")}}}}
		if _, err := to.(webdav.DeadPropsHolder).Patch(patch); err != nil {
			s.Error(err)
		}
		s.ok(to.Close())
		s.holds("/g", "second, longer")
		s.isSet("/g", "copied")
		if f, err := s.OpenFile(s.Context(), "/g", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666); !errors.Is(err, fs.ErrExist) {
			s.Errorf("O_EXCL = %v, %v", f, err)
		}
	},
	"an upload that fails leaves nothing": func(s system) {
		broken := errors.New("the client has gone")
		content := io.MultiReader(strings.NewReader(strings.Repeat("x", 10_000)), iotest.ErrReader(broken))
		if _, err := s.Upload(s.Context(), content); !errors.Is(err, broken) {
			s.Errorf("Upload = %v", err)
		}
		u, err := s.Upload(s.Context(), strings.NewReader("x"))
		if err != nil {
			s.Fatal(err)
		}
		u.Discard()
		_, err = u.Commit(s.Context(), "/f")
		s.fails(err, nil, "Commit after Discard")
		s.has("/")
	},
	"RemoveAll removes all and leaves the parent": func(s system) {
		s.mkdir("/a", "/a/b", "/a/b/c")
		s.write("/a/b/f", "x")
		s.write("/a/b/c/g", "y")
		s.write("/a-b", "stays")
		s.set("/a/b", "1")
		s.set("/a/b/f", "2")
		s.set("/a/b/c/g", "3")
		s.ok(s.RemoveAll(s.Context(), "/a/b"))
		s.has("/a")
		s.has("/", "a/", "a-b")
		s.mkdir("/a/b")
		s.write("/a/b/f", "new")
		s.isSet("/a/b", "")
		s.isSet("/a/b/f", "")
		s.has("/a/b", "f")
	},
	"Rename takes properties along": func(s system) {
		s.mkdir("/a", "/a/sub")
		s.write("/a/sub/f", "x")
		for _, name := range []string{"/", "/a", "/a/sub/f"} {
			s.set(name, "of "+name)
		}
		s.ok(s.Rename(s.Context(), "/a", "/b"))
		for name, want := range map[string]string{"/": "of /", "/b": "of /a", "/b/sub/f": "of /a/sub/f", "/b/sub": ""} {
			s.isSet(name, want)
		}
		s.has("/", "b/")
		s.holds("/b/sub/f", "x")
		s.set("/b", "")
		s.isSet("/b", "")
		s.mkdir("/a")
		s.isSet("/a", "")
		s.write("/g", "old")
		s.set("/g", "of /g")
		s.write("/h", "new")
		s.ok(s.Rename(s.Context(), "/h", "/g"))
		s.holds("/g", "new")
		s.isSet("/g", "")
		s.holds("/h", "")
	},
	"Rename refuses what cannot be": func(s system) {
		s.mkdir("/a", "/b")
		s.write("/a/f", "x")
		s.write("/b/g", "y")
		s.fails(s.Rename(s.Context(), "/a", "/b"), nil, "onto a folder with members")
		s.fails(s.Rename(s.Context(), "/a", "/a/c"), nil, "into itself")
		s.fails(s.Rename(s.Context(), "/a", "/none/c"), fs.ErrNotExist, "into a folder that is missing")
		s.fails(s.Rename(s.Context(), "/a/f", "/b"), nil, "a file onto a folder")
		s.fails(s.Rename(s.Context(), "/a", "/b/g"), nil, "a folder onto a file")
		s.ok(s.Rename(s.Context(), "/a/f", "/a/f"))
		s.holds("/a/f", "x")
		s.holds("/b/g", "y")
	},
	"what was set aside is put back": func(s system) {
		s.mkdir("/a", "/a/empty")
		s.write("/a/f", "old")
		s.set("/a", "of /a")
		s.set("/a/f", "of /a/f")
		for _, name := range []string{"/a", "/a/f"} {
			aside, err := s.SetAside(s.Context(), name)
			s.ok(err)
			_, err = s.Stat(s.Context(), name)
			s.fails(err, fs.ErrNotExist, "Stat of what is aside")
			if name == "/a" {
				s.mkdir("/a")
			}
			s.write("/a/f", "half of a copy")
			s.set("/a/f", "half")
			s.ok(aside.Restore(s.Context()))
			aside.Discard()
			s.has("/a", "f", "empty/")
			s.holds("/a/f", "old")
			s.isSet("/a", "of /a")
			s.isSet("/a/f", "of /a/f")
		}
	},
	"what was set aside is discarded": func(s system) {
		s.mkdir("/a", "/a/b")
		s.write("/a/b/f", "old")
		aside, err := s.SetAside(s.Context(), "/a/b")
		s.ok(err)
		s.mkdir("/a/b")
		s.write("/a/b/g", "new")
		aside.Discard()
		s.has("/a/b", "g")
	},
}
