package main

import (
	"bytes"
	"errors"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"go.uber.org/goleak"

	"github.com/treelock/treelock/examples/objectfs/bucket/blobstore"
	"github.com/treelock/treelock/examples/objectfs/command"
	"github.com/treelock/treelock/examples/objectfs/store"
	"github.com/treelock/treelock/examples/objectfs/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// startServer starts an S3 server on the loopback interface and returns the URL of an empty
// bucket.
func startServer(t *testing.T) string {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	return bucketURL(t, "bucket", server.URL)
}

// bucketURL returns the URL of a bucket at an S3 endpoint. It makes sure that the client asks no
// other server for credentials.
func bucketURL(t *testing.T, bucket, endpoint string) string {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_PROFILE": "", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	query := url.Values{"endpoint": {endpoint}, "region": {"us-east-1"}, "use_path_style": {"true"}}
	return "s3://" + bucket + "?" + query.Encode()
}

// opened returns the store in the bucket at url.
func opened(t *testing.T, url string) store.Store {
	t.Helper()
	b, err := blobstore.Open(t.Context(), url, answerTime)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// folderURL returns the URL of a bucket in an empty folder.
func folderURL(t *testing.T) string {
	return "file://" + filepath.ToSlash(t.TempDir()) + "?metadata=skip&no_tmp_dir=true"
}

func TestBucketKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return opened(t, startServer(t)) })
}

func TestKeyMustBeUTF8AndNotEmpty(t *testing.T) {
	s, ctx := opened(t, startServer(t)), t.Context()
	for _, key := range []string{"", "a/\xff"} {
		_, read := s.Read(ctx, key)
		for verb, err := range map[string]error{
			"Read": read, "Write": s.Write(ctx, key, nil), "Delete": s.Delete(ctx, key),
			"Copy from": s.Copy(ctx, key, "a"), "Copy to": s.Copy(ctx, "a", key),
		} {
			if !errors.Is(err, blobstore.ErrKey) {
				t.Errorf("%s %q = %v, want ErrKey", verb, key, err)
			}
		}
	}
	if _, err := s.List(ctx, "\xff"); !errors.Is(err, blobstore.ErrKey) {
		t.Errorf("List = %v, want ErrKey", err)
	}
}

func wantRun(t *testing.T, code int, text string, args ...string) {
	t.Helper()
	var out bytes.Buffer
	if got := run(t.Context(), args, &out, &out); got != code || !strings.Contains(out.String(), text) {
		t.Errorf("bucket %q exits with %d, want %d and %q:\n%s", args, got, code, text, out.String())
	}
}

func TestJobEndsSoundAndLeavesTheBucketAsItWas(t *testing.T) {
	for _, url := range []string{startServer(t), folderURL(t)} {
		b, err := blobstore.Open(t.Context(), url, answerTime)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		if err := b.Write(t.Context(), "mine", nil); err != nil {
			t.Fatal(err)
		}
		wantRun(t, command.ExitOK, "OK: 60 operations, 0 failed, all 104 folders verified intact\n", url, "-load", ".", "-ops", "60")
		if keys, err := b.List(t.Context(), ""); len(keys) != 1 || err != nil {
			t.Errorf("the bucket holds %q, %v, want mine alone", keys, err)
		}
	}
}

func TestWrongUsageExitsWith2(t *testing.T) {
	wantRun(t, command.ExitUsage, "usage: bucket ")
	wantRun(t, command.ExitUsage, "usage: bucket ", "-ops", "10")
	wantRun(t, command.ExitUsage, "-ops 0: use 1 or more", startServer(t), "-ops", "0")
}

func TestBucketThatCannotBeOpenedExitsWith1(t *testing.T) {
	wantRun(t, command.ExitFailed, `unknown query parameter "x"`, startServer(t)+"&x=y")
	wantRun(t, command.ExitFailed, "bucket: open s3://missing?", strings.Replace(startServer(t), "bucket", "missing", 1))
}

func TestSilentServerIsReportedInTime(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and does not answer
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	start := time.Now()
	if _, err := blobstore.Open(t.Context(), bucketURL(t, "bucket", "http://"+silent.Addr().String()), 50*time.Millisecond); err == nil {
		t.Error("open of a bucket at a silent server succeeds")
	}
	if took := time.Since(start); took > 15*time.Second { // the client's own limit is half a minute
		t.Errorf("open took %v, want little more than 50ms", took)
	}
}
