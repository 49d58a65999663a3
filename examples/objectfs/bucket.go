package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file://
	_ "gocloud.dev/blob/memblob"  // mem://
	_ "gocloud.dev/blob/s3blob"   // s3://
)

// reachable is how long a bucket may take to answer for the first time.
const reachable = 10 * time.Second

// A bucket is an open bucket, and the directory that it is in, if it is in one.
type bucket struct {
	*blob.Bucket
	dir string
}

// checkURL refuses the URLs of buckets that cannot be opened, whatever there is behind them.
func checkURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return fmt.Errorf("objectfs: -bucket %q: %w", raw, err)
	case !slices.Contains([]string{"mem", "file", "s3"}, u.Scheme):
		return fmt.Errorf("objectfs: -bucket %q: use mem://, file:///DIR or s3://NAME", raw)
	case u.Scheme == "file" && !slices.Contains([]string{"", ".", "localhost"}, u.Host):
		// The driver would drop the first part of the path, and use another directory.
		return fmt.Errorf("objectfs: -bucket %q: use three slashes: file:///DIR, or file://./DIR for a relative one", raw)
	}
	return nil
}

// openBucket opens the bucket and makes sure that it answers within patience.
func openBucket(ctx context.Context, raw string, patience time.Duration) (*bucket, error) {
	failed := func(err error) error {
		return fmt.Errorf("objectfs: the bucket %s cannot be used: %w: check its address, and that it exists and lets you in", raw, err)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, failed(err)
	}
	dir := ""
	if u.Scheme == "file" {
		dir = directory(u)
		preferences(u)
	}
	opened, err := blob.OpenBucket(ctx, u.String())
	if err != nil {
		return nil, failed(err)
	}
	// Some clients go on trying for minutes.
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	switch found, err := opened.IsAccessible(ctx); {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		opened.Close()
		return nil, failed(fmt.Errorf("no answer within %v: %w", patience, ctx.Err()))
	case err != nil:
		opened.Close()
		return nil, failed(err)
	case !found:
		opened.Close()
		return nil, failed(fs.ErrNotExist)
	}
	return &bucket{opened, dir}, nil
}

// preferences sets what the URL of a directory leaves open: temporary files go beside the others, as
// elsewhere they may be on another disk, from where they cannot be renamed; and there is no file of attributes beside each
// file.
func preferences(u *url.URL) {
	query := u.Query()
	if !query.Has("no_tmp_dir") {
		query.Set("no_tmp_dir", "true")
	}
	if !query.Has("metadata") {
		query.Set("metadata", "skip")
	}
	u.RawQuery = query.Encode()
}

// directory returns the directory that the driver for file:// takes u for.
func directory(u *url.URL) string {
	if u.Host == "." {
		return filepath.FromSlash(strings.TrimPrefix(u.Path, "/"))
	}
	return filepath.FromSlash(u.Path)
}

// close closes the bucket, which loses what is in a mem:// one.
func (b *bucket) close() { b.Bucket.Close() }

// sweep removes the directories that a job has left empty below prefix. Objects have no directories, so the
// driver for file:// makes them and never removes any. It removes no file.
func (b *bucket) sweep(prefix string) {
	if b.dir == "" {
		return
	}
	var dirs []string
	_ = filepath.WalkDir(filepath.Join(b.dir, filepath.FromSlash(prefix)), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	for _, dir := range slices.Backward(dirs) {
		_ = os.Remove(dir) // fails if it is not empty, and then it must stay
	}
}

// newPrefix returns a prefix that nobody else uses.
func newPrefix() string { return "objectfs-" + strings.ToLower(rand.Text()[:10]) }
