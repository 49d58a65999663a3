package files

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/webdav"
)

func open(t *testing.T) (*Dir, string) {
	name := t.TempDir()
	d, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, name
}

func write(t *testing.T, d *Dir, name, text string) string {
	t.Helper()
	u, err := d.Upload(t.Context(), strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer u.Discard()
	etag, err := u.Commit(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return etag
}

// Neither a path nor a symbolic link leads out of the directory.
func TestNothingEscapes(t *testing.T) {
	d, name := open(t)
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(name, "link")); err != nil {
		t.Skip("no symbolic links: ", err)
	}
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(name, "folder")); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"/link", "/folder/outside", "/../outside"} {
		if f, err := d.OpenFile(t.Context(), p, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644); err == nil && p != "/../outside" {
			f.Close()
			t.Errorf("OpenFile(%s) follows a link out of the directory", p)
		}
		if u, err := d.Upload(t.Context(), strings.NewReader("x")); err == nil {
			_, _ = u.Commit(t.Context(), p)
			u.Discard()
		}
		_ = d.Rename(t.Context(), "/folder/outside", "/taken")
		_ = d.RemoveAll(t.Context(), "/folder/outside")
	}
	if text, err := os.ReadFile(outside); err != nil || string(text) != "secret" {
		t.Errorf("outside of the directory: %q, %v", text, err)
	}
}

func TestHiddenNamesAreOutOfReach(t *testing.T) {
	d, _ := open(t)
	write(t, d, "/f", "x")
	for _, p := range []string{"/.DAV", "/.dav/uploads", "/a/.DAV/x"} {
		if _, err := d.Stat(t.Context(), p); !errors.Is(err, os.ErrPermission) {
			t.Errorf("Stat(%s) = %v", p, err)
		}
		if err := d.Mkdir(t.Context(), p, 0o755); !errors.Is(err, os.ErrPermission) {
			t.Errorf("Mkdir(%s) = %v", p, err)
		}
		if err := d.RemoveAll(t.Context(), p); !errors.Is(err, os.ErrPermission) {
			t.Errorf("RemoveAll(%s) = %v", p, err)
		}
		if err := d.Rename(t.Context(), "/f", p); !errors.Is(err, os.ErrPermission) {
			t.Errorf("Rename to %s = %v", p, err)
		}
	}
	f, err := d.OpenFile(t.Context(), "/", os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if infos, err := f.Readdir(-1); err != nil || len(infos) != 1 || infos[0].Name() != "f" {
		t.Errorf("the root has %v, %v", infos, err)
	}
}

func TestOpenFileKeepsItsContentWhenTheFileIsReplaced(t *testing.T) {
	d, _ := open(t)
	first := write(t, d, "/f", "old")
	f, err := d.OpenFile(t.Context(), "/f", os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if second := write(t, d, "/f", "new"); second == first {
		t.Error("two contents have one entity tag")
	}
	if text, _ := io.ReadAll(f); string(text) != "old" {
		t.Errorf("the open file has %q", text)
	}
}

// prop sets a property of a resource, or removes it if value is "".
func prop(t *testing.T, d *Dir, p, value string) {
	t.Helper()
	f, err := d.OpenFile(t.Context(), p, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	patch := webdav.Proppatch{Remove: value == "", Props: []webdav.Property{{XMLName: xml.Name{Space: "u:", Local: "x"}, InnerXML: []byte(value)}}}
	if stats, err := f.(webdav.DeadPropsHolder).Patch([]webdav.Proppatch{patch}); err != nil || stats[0].Status != 200 {
		t.Fatal(stats, err)
	}
}

func props(t *testing.T, d *Dir, p string) string {
	t.Helper()
	f, err := d.OpenFile(t.Context(), p, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := f.(webdav.DeadPropsHolder).DeadProps()
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, p := range m {
		text += fmt.Sprint(p.XMLName.Space, p.XMLName.Local, "=", string(p.InnerXML))
	}
	return text
}

func TestPropertiesGoWithTheirResource(t *testing.T) {
	d, _ := open(t)
	for _, p := range []string{"/a", "/a/sub"} {
		if err := d.Mkdir(t.Context(), p, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, d, "/a/sub/f", "x")
	for _, p := range []string{"/", "/a", "/a/sub/f"} {
		prop(t, d, p, "of "+p)
	}
	if err := d.Rename(t.Context(), "/a", "/b"); err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]string{"/": "u:x=of /", "/b": "u:x=of /a", "/b/sub/f": "u:x=of /a/sub/f", "/b/sub": ""} {
		if got := props(t, d, p); got != want {
			t.Errorf("properties of %s = %q, want %q", p, got, want)
		}
	}
	prop(t, d, "/b", "")
	if err := d.RemoveAll(t.Context(), "/b/sub/f"); err != nil {
		t.Fatal(err)
	}
	write(t, d, "/b/sub/f", "another")
	if got := props(t, d, "/b") + props(t, d, "/b/sub/f"); got != "" {
		t.Errorf("properties that were removed: %q", got)
	}
	write(t, d, "/g", "x")
	prop(t, d, "/g", "of /g")
	write(t, d, "/h", "x")
	if err := d.Rename(t.Context(), "/h", "/g"); err != nil || props(t, d, "/g") != "" {
		t.Errorf("a file without properties has those of the one that it replaces: %v", err)
	}
}
