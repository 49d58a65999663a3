package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// browse gets a URL, and nothing of it stays.
func browse(url string) (body string, err error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}

var pageAddress = regexp.MustCompile(`(?m)^The locks, live: (http://127\.0\.0\.1:[0-9]+/debug/locks)$`)

func TestPageShowsWhatTheOperationsAreAndEndsWithTheJob(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	url, labels := "", make(chan string, 1)
	stdout := &writer{word: loadedWord}
	stdout.seen = func() { // the clients are about to begin
		url = pageAddress.FindStringSubmatch(stdout.String())[1]
		go func() {
			defer cancel()
			labels <- firstLabel(t, ctx, url)
		}()
	}
	wantRunTo(t, ctx, stdout, exitInterrupted,
		[]string{"-load", someFiles(t), "-http", "127.0.0.1:0", "-ops", "1000000", "-latency", "5ms"}, "Stopped after")
	if label := <-labels; !regexp.MustCompile(`^(read|write|copy|rename|delete|list) folder [a-z0-9/-]+( → [a-z0-9/-]+)?$`).MatchString(label) {
		t.Errorf("the page has a request with the label %q", label)
	}
	if _, err := browse(url); err == nil {
		t.Error("the page is there when the job has ended")
	}
}

// firstLabel looks at the page until there is a request on it, and returns that one's label.
func firstLabel(t *testing.T, ctx context.Context, url string) string {
	if home, err := browse(strings.TrimSuffix(url, pagePath)); err != nil || !strings.Contains(home, "<title>Locks: ") {
		t.Errorf("the home page is %q, %v", home, err)
	}
	for ctx.Err() == nil {
		body, err := browse(url + "?format=json")
		var picture struct{ Holders []struct{ Label string } }
		if err == nil {
			err = json.Unmarshal([]byte(body), &picture)
		}
		if err != nil {
			t.Error(err)
			return ""
		}
		if len(picture.Holders) > 0 {
			return picture.Holders[0].Label
		}
	}
	return ""
}

func TestPageWhoseAddressIsTakenExitsWith1BeforeAnythingIsLoaded(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	output := wantRun(t, exitFailed, []string{"-load", someFiles(t), "-http", address}, "objectfs: -http "+address, "address already in use: choose another address")
	if strings.Contains(output, "clients do") {
		t.Errorf("it began all the same:\n%s", output)
	}
}

func TestPageOfACompareIsThatOfTheTree(t *testing.T) {
	output := wantRun(t, exitOK, []string{"-load", someFiles(t), "-compare", "-ops", "20", "-latency", "1ms", "-http", "127.0.0.1:0"})
	if got := strings.Count(output, "The locks, live: "); got != 1 {
		t.Errorf("the page is announced %d times, want once:\n%s", got, output)
	}
}

func TestPageURLIsOneForABrowser(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:80": "http://127.0.0.1:80/debug/locks", "0.0.0.0:8080": "http://localhost:8080/debug/locks",
		"[::]:8080": "http://localhost:8080/debug/locks", "[::1]:8080": "http://[::1]:8080/debug/locks",
	} {
		tcp, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := pageURL(tcp); got != want {
			t.Errorf("pageURL(%s) = %s, want %s", addr, got, want)
		}
	}
}

// Whoever takes no answer does not hold up the end.
func TestSilentVisitorDoesNotHoldUpTheEnd(t *testing.T) {
	var stdout bytes.Buffer
	locks, stop, err := newLocker(locksTree, "127.0.0.1:0", &stdout)
	if err != nil || locks == nil {
		t.Fatal(err)
	}
	url := pageAddress.FindStringSubmatch(stdout.String())[1]
	visitor, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(url, "http://"), pagePath))
	if err != nil {
		t.Fatal(err)
	}
	defer visitor.Close()
	start := time.Now()
	stop()
	if took := time.Since(start); took > 4*time.Second { // generous
		t.Errorf("it took %v", took)
	}
}
