// Package buckettest has buckets for tests. A program that opens them imports their drivers.
package buckettest

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// Memory is the URL of an empty bucket.
const Memory = "mem://"

// Folder returns the URL of an empty bucket in a folder.
func Folder(t *testing.T) string {
	return "file://" + filepath.ToSlash(t.TempDir()) + "?metadata=skip&no_tmp_dir=true"
}

// S3 starts an S3 server of this process and returns the URL of an empty bucket. Requests go
// through wrap if it is not nil. No credentials are looked for anywhere.
func S3(t *testing.T, wrap func(http.Handler) http.Handler) string {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	handler := gofakes3.New(backend).Server()
	if wrap != nil {
		handler = wrap(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_PROFILE": "", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	query := url.Values{"endpoint": {server.URL}, "region": {"us-east-1"}, "use_path_style": {"true"}}
	return "s3://bucket?" + query.Encode()
}
