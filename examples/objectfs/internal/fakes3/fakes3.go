// Package fakes3 gives tests an S3 server of their own on the loopback interface.
package fakes3

import (
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// Start starts a server with an empty bucket and returns the bucket's URL for gocloud.dev/blob. The server ends
// with the test. It sets environment variables, so that t must not be parallel.
func Start(t testing.TB) string {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	return URL(t, "bucket", server.URL)
}

// URL returns the URL of a bucket at an S3 endpoint, and sees to it that the client asks no other server
// for credentials.
func URL(t testing.TB, bucket, endpoint string) string {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_PROFILE", "")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	query := url.Values{
		"endpoint":       {endpoint},
		"region":         {"us-east-1"},
		"use_path_style": {"true"},
	}
	return "s3://" + bucket + "?" + query.Encode()
}
