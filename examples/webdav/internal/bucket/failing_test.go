package bucket

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"

	"gocloud.dev/blob"

	"github.com/treelock/treelock/examples/webdav/internal/files"
)

var errStore = errors.New("the store has failed")

// A flakyStore calls before with each call, and fails if it fails.
type flakyStore struct {
	store
	before func(op, key string) error
}

func (f *flakyStore) Attributes(ctx context.Context, key string) (*blob.Attributes, error) {
	if err := f.before("attributes", key); err != nil {
		return nil, err
	}
	return f.store.Attributes(ctx, key)
}

func (f *flakyStore) ListPage(ctx context.Context, token []byte, size int, o *blob.ListOptions) ([]*blob.ListObject, []byte, error) {
	if err := f.before("list", o.Prefix); err != nil {
		return nil, nil, err
	}
	return f.store.ListPage(ctx, token, size, o)
}

func (f *flakyStore) NewRangeReader(ctx context.Context, key string, offset, length int64, o *blob.ReaderOptions) (*blob.Reader, error) {
	if err := f.before("open", key); err != nil {
		return nil, err
	}
	return f.store.NewRangeReader(ctx, key, offset, length, o)
}

func (f *flakyStore) NewWriter(ctx context.Context, key string, o *blob.WriterOptions) (*blob.Writer, error) {
	if err := f.before("write", key); err != nil {
		return nil, err
	}
	return f.store.NewWriter(ctx, key, o)
}

func (f *flakyStore) ReadAll(ctx context.Context, key string) ([]byte, error) {
	if err := f.before("read", key); err != nil {
		return nil, err
	}
	return f.store.ReadAll(ctx, key)
}

func (f *flakyStore) WriteAll(ctx context.Context, key string, data []byte, o *blob.WriterOptions) error {
	if err := f.before("write", key); err != nil {
		return err
	}
	return f.store.WriteAll(ctx, key, data, o)
}

func (f *flakyStore) Copy(ctx context.Context, to, from string, o *blob.CopyOptions) error {
	if err := f.before("copy", from); err != nil {
		return err
	}
	return f.store.Copy(ctx, to, from, o)
}

func (f *flakyStore) Delete(ctx context.Context, key string) error {
	if err := f.before("delete", key); err != nil {
		return err
	}
	return f.store.Delete(ctx, key)
}

// A MOVE or COPY whose store fails at any call leaves both trees as they were, or is complete.
func TestTransferChangesAllOrNothingAtEachFailure(t *testing.T) {
	for _, method := range []string{"MOVE", "COPY"} {
		for _, overwrite := range []bool{true, false} {
			for n := 0; ; n++ {
				r := newRig(t)
				r.tree("/a", "source")
				if overwrite {
					r.tree("/b", "old")
				}
				w := r.do(n, method, "/a", "/b")
				if w.Code >= 300 {
					r.isTree("/a", "source")
					r.isSet("/a", "source")
					if overwrite {
						r.isTree("/b", "old")
						r.isSet("/b", "old")
					} else {
						r.holds("/b", "")
					}
				} else {
					r.isTree("/b", "source")
					if method == "COPY" {
						r.isTree("/a", "source")
					} else {
						r.holds("/a", "")
					}
				}
				if r.noStrangers(); t.Failed() {
					t.Fatalf("%s, overwrite %t, failure at call %d: %d %s", method, overwrite, n, w.Code, w.Body)
				}
				if !r.failed {
					t.Logf("%s, overwrite %t: %d calls", method, overwrite, n)
					break
				}
			}
		}
	}
}

// noStrangers fails if there are properties of a file that is not there.
func (r *rig) noStrangers() {
	r.Helper()
	all := keys(r.T, r.objects)
	for _, key := range all {
		folder, name, ok := strings.Cut(key, ".DAV/props/")
		if ok && !strings.HasPrefix(key, files.Uploads) && !slices.ContainsFunc(all, func(k string) bool { return strings.HasPrefix(k, folder+name) }) {
			r.Errorf("properties %s of nothing, among %q", key, all)
		}
	}
}

// A Rename or SetAside whose store fails at any call leaves all objects as they were.
func TestMoveThatFailsLeavesTheObjectsAsTheyWere(t *testing.T) {
	for name, move := range map[string]func(r *rig) error{
		"Rename":   func(r *rig) error { return r.Rename(r.Context(), "/a", "/b") },
		"over":     func(r *rig) error { return r.Rename(r.Context(), "/a/f", "/a/g") },
		"SetAside": func(r *rig) error { _, err := r.SetAside(r.Context(), "/a"); return err },
	} {
		for n := 0; ; n++ {
			r := newRig(t)
			r.tree("/a", "source")
			before := keys(t, r.objects)
			r.left = n
			err := move(r)
			r.left = -1
			if err == nil && !r.failed {
				break
			}
			if after := keys(t, r.objects); err != nil && !slices.Equal(before, after) {
				t.Errorf("%s, failure at call %d: %v, and %q has become %q", name, n, err, before, after)
			}
		}
	}
}

// If the store fails for a while, or ever after, nothing of the source is lost, nor of what was
// overwritten.
func TestNothingIsLostWhenTheStoreStaysAway(t *testing.T) {
	for _, method := range []string{"MOVE", "COPY"} {
		for _, outage := range []int{2, 6, 1 << 20} {
			for n := 0; ; n++ {
				r := newRig(t)
				r.outage = outage
				r.tree("/a", "source")
				r.tree("/b", "old")
				w := r.do(n, method, "/a", "/b")
				for _, file := range []string{"f", "g", "sub/h"} {
					r.somewhere(path.Join("a", file), path.Join("b", file), "source")
					if w.Code >= 300 {
						r.somewhere(path.Join("b", file), files.Uploads, "old")
					}
				}
				if t.Failed() {
					t.Fatalf("%s, %d failures from call %d on: %d, and there are %q", method, outage, n, w.Code, keys(t, r.objects))
				}
				if !r.failed {
					break
				}
			}
		}
	}
}

// somewhere fails unless an object with the content has one of the keys, or is below uploads.
func (r *rig) somewhere(one, two, content string) {
	r.Helper()
	for _, key := range keys(r.T, r.objects) {
		if key == one || key == two || strings.HasPrefix(key, two+"/") && strings.HasSuffix(key, path.Base(one)) {
			if text, err := r.objects.ReadAll(r.Context(), key); err == nil && string(text) == content {
				return
			}
		}
	}
	r.Errorf("%s is lost: %s", one, content)
}

// A DELETE whose store fails at any call tells so, and what it leaves is shown.
func TestDeleteThatFailsShowsWhatItLeaves(t *testing.T) {
	multi := 0
	for n := 0; ; n++ {
		r := newRig(t)
		r.tree("/a", "x")
		w := r.do(n, "DELETE", "/a", "")
		if strings.Contains(w.Body.String(), ".DAV") {
			t.Errorf("the answer shows what is hidden: %s", w.Body)
		}
		if w.Code == http.StatusMultiStatus {
			multi++
		} else if r.failed && w.Code < 400 {
			t.Errorf("DELETE = %d", w.Code)
		}
		for _, key := range keys(t, r.objects) {
			for name := "/" + shown(key); name != "/"; name = path.Dir(name) {
				r.shows(path.Dir(name), path.Base(name))
			}
		}
		if r.noStrangers(); t.Failed() {
			t.Fatalf("failure at call %d: %d, and there are %q", n, w.Code, keys(t, r.objects))
		}
		if !r.failed {
			wantKeys(t, r.objects)
			break
		}
		if w := r.do(-1, "DELETE", "/a", ""); w.Code != 204 { // once more, and the store works
			t.Errorf("DELETE = %d %s", w.Code, w.Body)
		}
		wantKeys(t, r.objects)
	}
	if multi < 3 {
		t.Errorf("%d answers name a member, want one for each file", multi)
	}
}

// shows fails unless a folder has a member.
func (r *rig) shows(folder, name string) {
	r.Helper()
	f := r.open(folder, 0)
	defer f.Close()
	infos, err := f.Readdir(-1)
	if err != nil || !slices.ContainsFunc(infos, func(i fs.FileInfo) bool { return i.Name() == name }) {
		r.Errorf("%s does not show %s: %v", folder, name, err)
	}
}
