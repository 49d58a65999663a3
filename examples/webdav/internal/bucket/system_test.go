package bucket

import (
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
	_ "gocloud.dev/blob/fileblob" // file://
	_ "gocloud.dev/blob/memblob"  // mem://
	_ "gocloud.dev/blob/s3blob"   // s3://
	"golang.org/x/net/webdav"

	"github.com/treelock/treelock/examples/webdav/internal/buckettest"
	"github.com/treelock/treelock/examples/webdav/internal/files"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A system is a file system under test. Its methods fail the test.
type system struct {
	*testing.T
	files.System
}

// write gives a file its content, as PUT does, and returns its entity tag.
func (s system) write(name, text string) string {
	s.Helper()
	u, err := s.Upload(s.Context(), strings.NewReader(text))
	if err != nil {
		s.Fatal(err)
	}
	defer u.Discard()
	etag, err := u.Commit(s.Context(), name)
	if err != nil {
		s.Fatal(err)
	}
	return etag
}

func (s system) mkdir(names ...string) {
	s.Helper()
	for _, name := range names {
		s.ok(s.Mkdir(s.Context(), name, 0o777))
	}
}

func (s system) open(name string, flag int) webdav.File {
	s.Helper()
	f, err := s.OpenFile(s.Context(), name, flag, 0o666)
	if err != nil {
		s.Fatal(err)
	}
	return f
}

// holds fails unless a file has this content, or with "" unless there is none.
func (s system) holds(name, want string) {
	s.Helper()
	f, err := s.OpenFile(s.Context(), name, os.O_RDONLY, 0)
	if want == "" {
		if err == nil {
			f.Close()
		}
		if !errors.Is(err, fs.ErrNotExist) {
			s.Errorf("open %s = %v, want ErrNotExist", name, err)
		}
		return
	}
	if err != nil {
		s.Fatal(err)
	}
	defer f.Close()
	if text, err := io.ReadAll(f); err != nil || string(text) != want {
		s.Errorf("%s has %q, %v, want %q", name, text, err, want)
	}
}

// has fails unless a folder has these members; folders end with a slash.
func (s system) has(name string, want ...string) {
	s.Helper()
	f := s.open(name, os.O_RDONLY)
	defer f.Close()
	infos, err := f.Readdir(-1)
	if err != nil {
		s.Fatal(err)
	}
	var got []string
	for _, i := range infos {
		n := i.Name()
		if i.IsDir() {
			n += "/"
		}
		got = append(got, n)
	}
	if !reflect.DeepEqual(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
		s.Errorf("%s has %q, want %q", name, got, want)
	}
}

// set gives a resource a property, and takes it away if value is "".
func (s system) set(name, value string) {
	s.Helper()
	f := s.open(name, os.O_RDWR)
	defer f.Close()
	patch := webdav.Proppatch{Remove: value == "", Props: []webdav.Property{
		{XMLName: xml.Name{Space: "u:", Local: "x"}, InnerXML: []byte(value)},
	}}
	if stats, err := f.(webdav.DeadPropsHolder).Patch([]webdav.Proppatch{patch}); err != nil || stats[0].Status != 200 {
		s.Fatal(stats, err)
	}
}

// isSet fails unless a resource has that property.
func (s system) isSet(name, want string) {
	s.Helper()
	f := s.open(name, os.O_RDONLY)
	defer f.Close()
	props, err := f.(webdav.DeadPropsHolder).DeadProps()
	got := ""
	for _, p := range props {
		got += string(p.InnerXML)
	}
	if err != nil || got != want {
		s.Errorf("the property of %s is %q, %v, want %q", name, got, err, want)
	}
}

func (s system) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// fails fails unless err is want, or any error if want is nil.
func (s system) fails(err, want error, what string) {
	s.Helper()
	if err == nil || want != nil && !errors.Is(err, want) {
		s.Errorf("%s = %v, want %v", what, err, want)
	}
}

// opened opens the bucket at a URL.
func opened(t *testing.T, url string) *Bucket {
	t.Helper()
	b, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// A directory and all buckets do the same.
func TestSystems(t *testing.T) {
	for name, start := range map[string]func(*testing.T) files.System{
		"directory": func(t *testing.T) files.System {
			d, err := files.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { d.Close() })
			return d
		},
		"memory": func(t *testing.T) files.System { return opened(t, buckettest.Memory) },
		"folder": func(t *testing.T) files.System { return opened(t, buckettest.Folder(t)) },
		"S3":     func(t *testing.T) files.System { return opened(t, buckettest.S3(t, nil)) },
	} {
		for plot, test := range plots {
			t.Run(name+"/"+plot, func(t *testing.T) { test(system{t, start(t)}) })
		}
	}
}
