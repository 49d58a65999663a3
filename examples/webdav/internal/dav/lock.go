package dav

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/examples/webdav/internal/davlock"
	"github.com/treelock/treelock/examples/webdav/internal/xmlbody"
)

// defaultTimeout is the time of a lock if the client names none.
const defaultTimeout = 10 * time.Minute

// lock handles LOCK: one with a body makes a lock, one without refreshes.
func (h *Handler) lock(c *call) error {
	timeout := parseTimeout(c.Header.Get("Timeout"))
	if len(c.body) == 0 {
		return h.refresh(c, timeout)
	}
	info, err := xmlbody.ParseLockInfo(c.body)
	if err != nil {
		return refuse(http.StatusBadRequest, "%v", err)
	}
	depth := c.Header.Get("Depth")
	if depth != "" && depth != "0" && depth != "infinity" {
		return refuse(http.StatusBadRequest, "the Depth is not one of 0 and infinity")
	}
	spec := davlock.Spec{Root: c.path, Infinite: depth != "0", Shared: info.Shared, Owner: info.Owner, User: c.user, Timeout: timeout}
	var missing bool
	err = h.claim(c, davlock.LockRun(spec), func() error {
		info, err := h.find(c, c.path)
		if missing = err == nil && info == nil; missing || err != nil {
			return err
		}
		return h.makeLock(c, spec, http.StatusOK)
	})
	if err != nil || !missing {
		return err
	}
	return h.lockNew(c, spec)
}

// lockNew locks a name that does not exist, and makes an empty file there.
func (h *Handler) lockNew(c *call, spec davlock.Spec) error {
	upload, err := h.Files.Upload(c.Context(), bytes.NewReader(nil))
	if err != nil {
		return err
	}
	defer upload.Discard()
	return h.claim(c, withParents(treelock.Write(c.path), c.path), func() error {
		info, err := h.find(c, c.path)
		if err != nil {
			return err
		}
		if info != nil {
			return h.makeLock(c, spec, http.StatusOK) // it was made meanwhile
		}
		if c.slash {
			return refuse(http.StatusConflict, "the name is that of a folder")
		}
		if err := h.parentIsFolder(c, c.path); err != nil {
			return err
		}
		return h.permitted(c, []davlock.Claim{davlock.Change(parentOf(c.path))}, func() error {
			if err := h.makeLock(c, spec, http.StatusCreated); err != nil {
				return err
			}
			_, err := upload.Commit(c.Context(), string(c.path))
			if err != nil {
				h.Locks.Drop(c.Context(), c.path, true)
			}
			return err
		})
	})
}

// makeLock makes the lock and its answer.
func (h *Handler) makeLock(c *call, spec davlock.Spec, status int) error {
	ctx, cancel := context.WithTimeout(c.Context(), h.Patient)
	defer cancel()
	info, err := h.Locks.Lock(ctx, spec)
	if errors.Is(err, davlock.ErrTooMany) {
		return refuse(http.StatusServiceUnavailable, "too many locks")
	}
	if err != nil {
		return h.locked(c, err)
	}
	c.answer.header.Set("Lock-Token", "<"+info.Token+">")
	c.answer.xml(status, xmlbody.LockAnswer(h.shown(c, []davlock.Info{info})[0]))
	return nil
}

// refresh gives a lock a new time. The If header names its token.
func (h *Handler) refresh(c *call, timeout time.Duration) error {
	if len(c.cond.tokens) != 1 {
		return refuse(http.StatusBadRequest, "a LOCK without a body names one lock token, in its If header")
	}
	return h.claim(c, treelock.ReadNode(c.path), func() error {
		info, err := h.Locks.Refresh(c.Context(), c.cond.tokens[0], c.user, c.path, timeout)
		switch {
		case errors.Is(err, davlock.ErrNoLock):
			return &refusal{status: http.StatusPreconditionFailed, body: xmlbody.Error("lock-token-matches-request-uri")}
		case errors.Is(err, davlock.ErrNotYours):
			return refuse(http.StatusForbidden, "the lock is another user's")
		case err != nil:
			return err
		}
		c.answer.xml(http.StatusOK, xmlbody.LockAnswer(h.shown(c, []davlock.Info{info})[0]))
		return nil
	})
}

func (h *Handler) unlock(c *call) error {
	token, ok := strings.CutPrefix(strings.TrimSpace(c.Header.Get("Lock-Token")), "<")
	token, closed := strings.CutSuffix(token, ">")
	if !ok || !closed || token == "" {
		return refuse(http.StatusBadRequest, "no Lock-Token, or a malformed one")
	}
	return h.claim(c, treelock.ReadNode(c.path), func() error {
		err := h.Locks.Unlock(c.Context(), token, c.user, c.path)
		switch {
		case errors.Is(err, davlock.ErrNoLock):
			return &refusal{status: http.StatusConflict, body: xmlbody.Error("lock-token-matches-request-uri")}
		case errors.Is(err, davlock.ErrNotYours):
			return refuse(http.StatusForbidden, "the lock is another user's")
		case err != nil:
			return err
		}
		c.answer.status = http.StatusNoContent
		return nil
	})
}

// parseTimeout returns the first time of a Timeout header that can be read. The table bounds it.
func parseTimeout(header string) time.Duration {
	for item := range strings.SplitSeq(header, ",") {
		item = strings.TrimSpace(item)
		if strings.EqualFold(item, "Infinite") {
			return time.Duration(1<<63 - 1)
		}
		if seconds, ok := strings.CutPrefix(item, "Second-"); ok {
			if n, err := strconv.ParseUint(seconds, 10, 32); err == nil {
				return time.Duration(n) * time.Second
			}
		}
	}
	return defaultTimeout
}
