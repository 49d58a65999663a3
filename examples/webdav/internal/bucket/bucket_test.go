package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"github.com/treelock/treelock/examples/webdav/internal/buckettest"
)

// inMemory returns a bucket, and the file system in it.
func inMemory(t *testing.T) (*blob.Bucket, system) {
	objects := memblob.OpenBucket(nil)
	t.Cleanup(func() { objects.Close() })
	return objects, system{t, &Bucket{objects}}
}

// put makes objects that have their keys as content. Marks have none.
func put(t *testing.T, objects *blob.Bucket, keys ...string) {
	t.Helper()
	for _, key := range keys {
		text := key
		if strings.HasSuffix(key, "/") {
			text = ""
		}
		if err := objects.WriteAll(t.Context(), key, []byte(text), nil); err != nil {
			t.Fatal(err)
		}
	}
}

// keys returns the keys of all objects.
func keys(t *testing.T, objects *blob.Bucket) (all []string) {
	t.Helper()
	list, done := objects.List(nil).All(context.Background())
	for o := range list {
		all = append(all, o.Key)
	}
	if err := done(); err != nil {
		t.Fatal(err)
	}
	return all
}

func wantKeys(t *testing.T, objects *blob.Bucket, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := keys(t, objects); !slices.Equal(got, want) {
		t.Errorf("the bucket has %q, want %q", got, want)
	}
}

// Folders need no marks, and stay when they lose their last member.
func TestFoldersWithoutMarksAreFoldersAndStay(t *testing.T) {
	for _, remove := range []func(s system, name string) error{
		func(s system, name string) error { return s.RemoveAll(s.Context(), name) },
		func(s system, name string) error { return s.Rename(s.Context(), name, "/moved-"+path.Base(name)) },
		func(s system, name string) error {
			aside, err := s.SetAside(s.Context(), name)
			if err == nil {
				aside.Discard()
			}
			return err
		},
	} {
		objects, s := inMemory(t)
		put(t, objects, "a/b/f", "a/b/c/g")
		s.has("/", "a/")
		s.has("/a/b", "f", "c/")
		s.ok(remove(s, "/a/b/c/g"))
		s.has("/a/b/c")
		s.ok(remove(s, "/a/b"))
		s.has("/a")
	}
}

// Objects whose keys are no paths are neither shown nor changed.
func TestKeysThatAreNoPathsDoNoHarm(t *testing.T) {
	objects, s := inMemory(t)
	strange := []string{"../x", "/x", "//", "a//b", "a/./b", "a/../b", "b/c\\d", "b/\x01", "d//", "e/.."}
	put(t, objects, append(strange, "a/f", "b/f", "ok")...)
	s.has("/", "a/", "b/", "d/", "e/", "ok")
	s.has("/a", "f")
	s.has("/b", "f")
	s.has("/d")
	for _, folder := range []string{"/a", "/b", "/d", "/e"} {
		s.fails(s.RemoveAll(s.Context(), folder), fs.ErrPermission, "RemoveAll "+folder)
		s.fails(s.Rename(s.Context(), folder, "/moved"), fs.ErrPermission, "Rename "+folder)
		_, err := s.SetAside(s.Context(), folder)
		s.fails(err, fs.ErrPermission, "SetAside "+folder)
	}
	for _, name := range []string{"/b/c\\d", "/b/\x01", "/\xff", "/a\x7f"} {
		_, err := s.Stat(s.Context(), name)
		s.fails(err, fs.ErrPermission, "Stat")
		s.fails(s.Mkdir(s.Context(), name, 0o777), fs.ErrPermission, "Mkdir")
	}
	s.fails(s.Mkdir(s.Context(), "/"+strings.Repeat("x", longest+1), 0o777), syscall.ENAMETOOLONG, "Mkdir of a long name")
	wantKeys(t, objects, append(strange, "a/f", "b/f", "ok")...)
}

// Of a file and a folder of one name, the file is shown, and what is below is not mixed with
// others.
func TestFileBesideAFolderOfItsName(t *testing.T) {
	objects, s := inMemory(t)
	put(t, objects, "a", "a/b", "c/f")
	s.has("/", "a", "c/")
	s.holds("/a", "a")
	s.fails(s.Rename(s.Context(), "/c", "/a"), fs.ErrExist, "Rename onto it")
	_, err := s.SetAside(s.Context(), "/a")
	s.fails(err, fs.ErrPermission, "SetAside")
	s.ok(s.RemoveAll(s.Context(), "/a"))
	s.has("/a", "b")
	s.holds("/a/b", "a/b")
}

// Nothing of a file is read to copy it to another of the bucket, and a part of one is never made a
// file.
func TestCopyIsMadeByTheStoreAndNeverOfAPart(t *testing.T) {
	objects, s := inMemory(t)
	put(t, objects, "f")
	broken := errors.New("broken")
	from, to := s.open("/f", os.O_RDONLY), s.open("/g", os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	defer from.Close()
	if n, err := io.Copy(to, from); n != 1 || err != nil || from.(*reader).r != nil {
		t.Errorf("Copy = %d, %v, and reads %v", n, err, from.(*reader).r)
	}
	s.ok(to.Close())
	wantKeys(t, objects, "f", "g")
	for _, size := range []int{1, 1 << 20} {
		to = s.open("/h", os.O_RDWR|os.O_CREATE|os.O_TRUNC)
		_, err := io.Copy(to, io.MultiReader(strings.NewReader(strings.Repeat("x", size)), iotest.ErrReader(broken)))
		s.fails(err, broken, "Copy")
		s.fails(to.Close(), broken, "Close")
		s.fails(to.Close(), broken, "Close again")
	}
	wantKeys(t, objects, "f", "g")
}

// A read that would go on in another object fails.
func TestReadNeverMixesTwoContents(t *testing.T) {
	_, s := inMemory(t)
	s.write("/f", strings.Repeat("old", 1000))
	f := s.open("/f", os.O_RDONLY)
	defer f.Close()
	s.write("/f", strings.Repeat("new", 1000))
	for _, at := range []int64{2000, 0} {
		if _, err := f.Seek(at, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		n, err := f.Read(make([]byte, 10))
		if s.fails(err, errChanged, "Read"); n != 0 {
			t.Errorf("%d bytes of another content", n)
		}
	}
}

// Open removes uploads of a day ago, and no others.
func TestOpenRemovesOldUploads(t *testing.T) {
	url := buckettest.Folder(t)
	dir := strings.TrimPrefix(strings.Split(url, "?")[0], "file://")
	b := opened(t, url)
	for _, key := range []string{".DAV/uploads/old", ".DAV/uploads/aside/it/f", ".DAV/uploads/new", "old"} {
		if err := b.objects.WriteAll(t.Context(), key, nil, nil); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(key, "new") {
			then := time.Now().Add(-25 * time.Hour)
			if err := os.Chtimes(dir+"/"+key, then, then); err != nil {
				t.Fatal(err)
			}
		}
	}
	wantKeys(t, opened(t, url).objects.(*blob.Bucket), ".DAV/uploads/new", "old")
}

// A folder with more members than a page has all of them, and is removed with them.
func TestFolderOfManyPages(t *testing.T) {
	for _, url := range []string{buckettest.Memory, buckettest.Folder(t)} {
		b := opened(t, url)
		s := system{t, b}
		s.mkdir("/a", "/a/a")
		var want []string
		for i := range onePage + 10 {
			want = append(want, fmt.Sprintf("a%04d", i))
			put(t, b.objects.(*blob.Bucket), "a/"+want[i])
		}
		s.has("/a", append(want, "a/")...)
		s.ok(s.RemoveAll(t.Context(), "/a"))
		wantKeys(t, b.objects.(*blob.Bucket))
	}
}

// A method whose context ends stops, and undoes what it did.
func TestEndOfTheContextUndoesARename(t *testing.T) {
	objects, s := inMemory(t)
	put(t, objects, "a/f", "a/g", "a/h", "b/")
	lost := errors.New("the lock was lost")
	ctx, end := context.WithCancelCause(t.Context())
	flaky := &flakyStore{store: objects, before: func(op, key string) error {
		if op == "copy" {
			end(lost)
		}
		return nil
	}}
	err := (&Bucket{flaky}).Rename(ctx, "/a", "/b/a")
	s.fails(err, lost, "Rename")
	wantKeys(t, objects, "a/f", "a/g", "a/h", "b/")
}

// What the store of a user without rights says is told as such.
func TestStoreThatRefusesIsTold(t *testing.T) {
	refuse := false
	b := opened(t, buckettest.S3(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if refuse && r.Method == "PUT" {
				http.Error(w, "<Error><Code>AccessDenied</Code></Error>", http.StatusForbidden)
				return
			}
			h.ServeHTTP(w, r)
		})
	}))
	s := system{t, b}
	s.write("/f", "old")
	refuse = true
	_, err := b.Upload(t.Context(), strings.NewReader("new"))
	s.fails(err, fs.ErrPermission, "Upload")
	s.fails(b.Mkdir(t.Context(), "/a", 0o777), fs.ErrPermission, "Mkdir")
	s.fails(b.Rename(t.Context(), "/f", "/g"), fs.ErrPermission, "Rename")
	f := s.open("/f", os.O_RDWR|os.O_TRUNC)
	_, _ = io.WriteString(f, strings.Repeat("x", 10_000))
	s.fails(f.Close(), fs.ErrPermission, "Close")
	s.holds("/f", "old")
	s.has("/", "f")
}

// Open says in time that there is no bucket.
func TestOpenFailsWithoutABucket(t *testing.T) {
	for _, url := range []string{strings.Replace(buckettest.S3(t, nil), "bucket", "none", 1), "file:///none/such", "x://y", "plain"} {
		if b, err := Open(t.Context(), url); err == nil {
			b.Close()
			t.Errorf("Open(%s) = nil", url)
		} else {
			t.Log(err)
		}
	}
}
