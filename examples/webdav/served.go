package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	_ "gocloud.dev/blob/fileblob" // file://
	_ "gocloud.dev/blob/memblob"  // mem://
	_ "gocloud.dev/blob/s3blob"   // s3://

	"github.com/treelock/treelock/examples/webdav/internal/bucket"
	"github.com/treelock/treelock/examples/webdav/internal/files"
)

// open opens what is served. What it returns closes it.
func (c *config) open(ctx context.Context) (files.System, func(), error) {
	if c.bucket != "" {
		b, err := bucket.Open(ctx, c.bucket)
		if err != nil {
			return nil, nil, err
		}
		return b, func() { b.Close() }, nil
	}
	remove := func() {}
	if c.dir == "" {
		sample, err := sampleDir()
		if err != nil {
			return nil, nil, err
		}
		c.dir, remove = sample, func() { os.RemoveAll(sample) }
	}
	d, err := files.Open(c.dir)
	if err != nil {
		remove()
		return nil, nil, err
	}
	return d, func() { d.Close(); remove() }, nil
}

// what names what is served.
func (c *config) what() string {
	if c.bucket != "" {
		name, _, _ := strings.Cut(c.bucket, "?")
		return name
	}
	return c.dir
}

// sampleDir makes a temporary directory with a few files.
func sampleDir() (string, error) {
	dir, err := os.MkdirTemp("", "treelock-webdav-")
	if err != nil {
		return "", err
	}
	for name, text := range map[string]string{
		"welcome.txt": "These files are gone when the server ends.\n", "photos/2025/list.txt": "a.jpg\n", "notes/todo.txt": "lock it\n",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	return dir, nil
}
