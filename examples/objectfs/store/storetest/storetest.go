// Package storetest checks that a store keeps the contract of [store.Store].
package storetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock/examples/objectfs/store"
)

// Run checks the stores that open returns. Each must be empty.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for name, test := range map[string]func(t *testing.T, s store.Store){
		"OperationsDoWhatTheySay":         operations,
		"MissingObjectIsErrNotExist":      missing,
		"HostileKeysStayApart":            hostileKeys,
		"LongListingIsComplete":           longListing,
		"EndedContextStopsEveryOperation": endedContext,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func write(t *testing.T, s store.Store, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if err := s.Write(t.Context(), key, []byte("bytes of "+key)); err != nil {
			t.Fatalf("Write(%q) = %v", key, err)
		}
	}
}

func wantBytes(t *testing.T, s store.Store, key, want string) {
	t.Helper()
	if got, err := s.Read(t.Context(), key); string(got) != want || err != nil {
		t.Errorf("Read(%q) = %q, %v, want %q", key, got, err, want)
	}
}

func wantList(t *testing.T, s store.Store, prefix string, want ...string) {
	t.Helper()
	got, err := s.List(t.Context(), prefix)
	if err != nil {
		t.Fatalf("List(%q) = %v", prefix, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("List(%q): -want +got\n%s", prefix, diff)
	}
}

func operations(t *testing.T, s store.Store) {
	write(t, s, "a/x", "a/b/y", "a-b", "ab/z")
	wantList(t, s, "", "a-b", "a/b/y", "a/x", "ab/z")
	wantList(t, s, "a/", "a/b/y", "a/x")
	wantList(t, s, "nothing/")
	if err := s.Copy(t.Context(), "a/x", "a-b"); err != nil {
		t.Errorf("Copy = %v", err)
	}
	wantBytes(t, s, "a-b", "bytes of a/x")
	if err := s.Delete(t.Context(), "a/x"); err != nil {
		t.Errorf("Delete = %v", err)
	}
	wantList(t, s, "", "a-b", "a/b/y", "ab/z")
}

func missing(t *testing.T, s store.Store) {
	_, read := s.Read(t.Context(), "gone")
	for verb, err := range map[string]error{
		"Read":   read,
		"Copy":   s.Copy(t.Context(), "gone", "new"),
		"Delete": s.Delete(t.Context(), "gone"),
	} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s of a missing object = %v, want an error that matches fs.ErrNotExist", verb, err)
		}
	}
	wantList(t, s, "")
}

// hostileKeys uses keys that a file system, or a careless client, takes for other ones.
func hostileKeys(t *testing.T, s store.Store) {
	keys := []string{"/a", "a", "a//b", "a/./b", "a/../b", "a/b", "a/b/", "%2F", "%252F", "../b", "a\nb"}
	write(t, s, keys...)
	for _, key := range keys {
		wantBytes(t, s, key, "bytes of "+key)
	}
	wantList(t, s, "a/../", "a/../b")
	wantList(t, s, "a//", "a//b")
	wantList(t, s, "/", "/a")
}

// longListing lists more keys than an S3 server puts on one page.
func longListing(t *testing.T, s store.Store) {
	var want []string
	for i := range 1010 {
		want = append(want, fmt.Sprintf("d/%04d", i))
	}
	write(t, s, want...)
	wantList(t, s, "", want...)
}

func endedContext(t *testing.T, s store.Store) {
	write(t, s, "a", "b")
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	_, list := s.List(ctx, "")
	_, read := s.Read(ctx, "a")
	for verb, err := range map[string]error{
		"List": list, "Read": read,
		"Write": s.Write(ctx, "a", nil), "Copy": s.Copy(ctx, "a", "c"), "Delete": s.Delete(ctx, "b"),
	} {
		if !errors.Is(err, why) {
			t.Errorf("%s = %v, want the cause of the context", verb, err)
		}
	}
	wantList(t, s, "", "a", "b")
	wantBytes(t, s, "a", "bytes of a")
}
