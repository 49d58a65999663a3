// Package workload is what the clients of some tests do.
package workload

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// A client sends requests to servers, in turn.
type client struct {
	urls []string // of the servers, in turn
	http *http.Client
	turn atomic.Int64
}

func (c *client) do(method, target, destination, body string) (status int, answer string, err error) {
	url := c.urls[int(c.turn.Add(1))%len(c.urls)]
	r, err := http.NewRequest(method, url+target, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Overwrite", "T")
	if destination != "" {
		r.Header.Set("Destination", url+destination)
	}
	w, err := c.http.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	return w.StatusCode, string(text), err
}

// Counts are what the clients saw.
type Counts struct {
	moves, failed, copies, mixed, reads, missing atomic.Int64
	latest                                       time.Time
}

// more reports whether the clients go on: until ctx ends, and on a slow machine until there was a
// move, a copy and a read.
func (c *Counts) more(ctx context.Context) bool {
	return ctx.Err() == nil || !c.Each() && c.Faults() == 0 && time.Now().Before(c.latest)
}

func (c *Counts) String() string {
	return fmt.Sprintf("%d of %d moves failed, %d of %d copies mixed two generations, %d of %d reads found nothing",
		c.failed.Load(), c.moves.Load(), c.mixed.Load(), c.copies.Load(), c.missing.Load(), c.reads.Load())
}

// generationFiles is how many files a generation has.
const generationFiles = 8

// replace builds folders of one generation each and moves them to /live, in turn.
func (c *client) replace(ctx context.Context, name string, n *Counts) error {
	for i := 0; n.more(ctx); i++ {
		stage := "/stage-" + name
		if err := c.build(stage, fmt.Sprintf("%s-%d", name, i)); err != nil {
			return err
		}
		status, _, err := c.do("MOVE", stage, "/live", "")
		if err != nil {
			return err
		}
		if n.moves.Add(1); status >= 300 {
			n.failed.Add(1)
			if _, _, err := c.do("DELETE", stage, "", ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// build makes a folder in which all files have one content.
func (c *client) build(folder, content string) error {
	if status, _, err := c.do("MKCOL", folder, "", ""); err != nil || status != 201 {
		return fmt.Errorf("MKCOL %s: %d, %w", folder, status, err)
	}
	for i := range generationFiles {
		if status, _, err := c.do("PUT", fmt.Sprintf("%s/%d", folder, i), "", content); err != nil || status != 201 {
			return fmt.Errorf("PUT %s/%d: %d, %w", folder, i, status, err)
		}
	}
	return nil
}

// copyLive copies /live, and looks whether the copy is one generation. A copy that fails counts for
// nothing.
func (c *client) copyLive(ctx context.Context, name string, n *Counts) error {
	for n.more(ctx) {
		status, _, err := c.do("COPY", "/live", "/copy-"+name, "")
		if err != nil {
			return err
		}
		if status >= 300 {
			continue
		}
		n.copies.Add(1)
		seen := map[string]bool{}
		for i := range generationFiles {
			status, text, err := c.do("GET", fmt.Sprintf("/copy-%s/%d", name, i), "", "")
			if err != nil {
				return err
			}
			seen[fmt.Sprint(status, text)] = true
		}
		if len(seen) != 1 {
			n.mixed.Add(1)
		}
	}
	return nil
}

// read gets files below /live.
func (c *client) read(ctx context.Context, n *Counts) error {
	for i := 0; n.more(ctx); i++ {
		status, _, err := c.do("GET", fmt.Sprintf("/live/%d", i%generationFiles), "", "")
		if err != nil {
			return err
		}
		if n.reads.Add(1); status != 200 {
			n.missing.Add(1)
		}
	}
	return nil
}

// Faults returns how many moves failed, copies mixed generations and reads found nothing.
func (c *Counts) Faults() int64 { return c.failed.Load() + c.mixed.Load() + c.missing.Load() }

// Each reports whether there was a move, a copy and a read.
func (c *Counts) Each() bool { return c.moves.Load() > 0 && c.copies.Load() > 0 && c.reads.Load() > 0 }

// Generations lets two clients replace a folder, four copy it and four read below it, until ctx
// ends, or for longer if too little has happened by then. Each client sends its requests to the
// servers at urls in turn.
func Generations(ctx context.Context, urls ...string) (*Counts, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	defer transport.CloseIdleConnections()
	c := &client{urls: urls, http: &http.Client{Transport: transport}}
	if err := c.build("/live", "first"); err != nil {
		return nil, err
	}
	n := &Counts{latest: time.Now().Add(20 * time.Second)}
	var group errgroup.Group
	for i := range 2 {
		group.Go(func() error { return c.replace(ctx, fmt.Sprint(i), n) })
	}
	for i := range 4 {
		group.Go(func() error { return c.copyLive(ctx, fmt.Sprint(i), n) })
		group.Go(func() error { return c.read(ctx, n) })
	}
	return n, group.Wait()
}
