//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mount mounts the server at url with davfs2 and returns the folder. It skips the test where no
// mount is possible.
func mount(t *testing.T, url string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root mounts")
	}
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Skip("there is no /dev/fuse: ", err)
	}
	if _, err := exec.LookPath("mount.davfs"); err != nil {
		t.Skip("mount.davfs is missing: apt-get install davfs2")
	}
	conf, folder := filepath.Join(t.TempDir(), "conf"), t.TempDir()
	// Without a large buffer, davfs2 refuses to list a folder on a new kernel.
	if err := os.WriteFile(conf, []byte("ask_auth 0\nbuf_size 256\ndelay_upload 0\ndir_refresh 0\ngui_optimize 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("mount", "-t", "davfs", "-o", "conf="+conf, url, folder)
	cmd.Stdin = strings.NewReader("\n\n") // no user and no password
	if text, err := cmd.CombinedOutput(); err != nil {
		if bytes.Contains(text, []byte("ermi")) { // "Permission" or "not permitted"
			t.Skipf("no mount is possible: %s", text)
		}
		t.Fatalf("mount: %v\n%s", err, text)
	}
	t.Cleanup(func() {
		if text, err := exec.Command("umount", folder).CombinedOutput(); err != nil {
			t.Errorf("umount: %v\n%s", err, text)
		}
	})
	return folder
}

// A file that a program has open for writing in a mounted folder is locked at the server.
func TestDavfs2(t *testing.T) {
	dir := t.TempDir()
	url := start(t, "-dir", dir)
	folder := mount(t, url)
	if err := os.MkdirAll(filepath.Join(folder, "new/deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(folder, "new/deep/file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("by davfs2"); err != nil {
		t.Fatal(err)
	}
	p := newPeer(t, url, "ann", "127.0.0.1")
	if status, _, _, err := p.do("PUT", "new/deep/file", "by another"); status != 423 {
		t.Errorf("PUT of another client = %d, %v, want 423", status, err)
	}
	if status, _, _, err := p.do("DELETE", "new", ""); status != 207 {
		t.Errorf("DELETE of the folder by another client = %d, %v, want 207", status, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(folder, "new"), filepath.Join(folder, "moved")); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(folder, "moved/deep"))
	if err != nil || len(entries) != 1 || entries[0].Name() != "file" {
		t.Errorf("the folder has %v, %v", entries, err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "moved/deep/file")); err != nil || string(text) != "by davfs2" {
		t.Errorf("the server has %q, %v", text, err)
	}
	if err := os.RemoveAll(filepath.Join(folder, "moved")); err != nil {
		t.Error(err)
	}
	if status, _, _, err := p.do("GET", "moved/", ""); status != 404 {
		t.Errorf("GET of what was removed = %d, %v, want 404", status, err)
	}
}
