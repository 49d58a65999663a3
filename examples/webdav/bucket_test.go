package main

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treelock/treelock/examples/webdav/internal/buckettest"
)

// All suites of litmus pass over a bucket.
func TestLitmusOverABucket(t *testing.T) {
	program(t, "litmus")
	for _, url := range []string{buckettest.Memory, buckettest.S3(t, nil)} {
		litmus(t, start(t, "-bucket", url))
	}
}

// All suites of litmus pass through two servers that share etcd and a bucket, alternating by
// request.
func TestLitmusThroughTwoServersOfABucket(t *testing.T) {
	program(t, "litmus")
	one, two := twoServers(t, "-bucket", buckettest.S3(t, nil))
	litmus(t, alternate(t, one, two))
}

// No operation at one server of a bucket sees the half of one at the other.
func TestServersOfABucketDoNotSeeTheHalfOfAnother(t *testing.T) {
	one, two := twoServers(t, "-bucket", buckettest.S3(t, nil))
	testWhole(t, one, two)
}

// A bucket that is a folder has files at their paths, and serves what others put there.
func TestFolderAsABucket(t *testing.T) {
	dir := t.TempDir()
	url := start(t, "-bucket", "file://"+filepath.ToSlash(dir)+"?metadata=skip&no_tmp_dir=true")
	request(t, 201, "MKCOL", url+"notes", "", "")
	request(t, 201, "PUT", url+"notes/todo.txt", "", "lock it")
	hasFile(t, filepath.Join(dir, "notes", "todo.txt"), "lock it")
	w, err := http.Get(url + "notes/todo.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	if text, _ := io.ReadAll(w.Body); string(text) != "lock it" {
		t.Errorf("GET = %d %q", w.StatusCode, text)
	}
}

// An unknown kind of bucket is refused with the kinds that there are.
func TestUnknownBucketNamesTheKnownOnes(t *testing.T) {
	err := run(t.Context(), []string{"-bucket", "gs://bucket"}, io.Discard, io.Discard)
	if err == nil {
		t.Fatal("run = nil")
	}
	for _, scheme := range []string{"gs", "file", "mem", "s3"} {
		if !strings.Contains(err.Error(), scheme) {
			t.Errorf("no %s in %q", scheme, err)
		}
	}
}
