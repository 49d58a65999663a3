package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// users writes a file of two users, ann and eve, whose passwords are their names.
func users(t *testing.T) string {
	text := ""
	for _, user := range []string{"ann", "eve"} {
		hash, err := hashPassword(user, 1)
		if err != nil {
			t.Fatal(err)
		}
		text += user + ":" + hash + "\n"
	}
	name := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// A peer is a user at an address.
type peer struct {
	client *http.Client
	url    string
	name   string
}

func newPeer(t *testing.T, url, name, address string) *peer {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	transport := &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 100}
	t.Cleanup(transport.CloseIdleConnections)
	return &peer{&http.Client{Transport: transport, Timeout: deadline}, url, name}
}

// do sends a request and returns the status, the Lock-Token and the body.
func (p *peer) do(method, path, body string, header ...string) (status int, token, text string, err error) {
	r, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	if err != nil {
		return 0, "", "", err
	}
	r.SetBasicAuth(p.name, p.name)
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	w, err := p.client.Do(r)
	if err != nil {
		return 0, "", "", err
	}
	defer w.Body.Close()
	b, err := io.ReadAll(w.Body)
	return w.StatusCode, w.Header.Get("Lock-Token"), string(b), err
}

// work has the user write, lock, overwrite and read a file n times, and returns how long each round
// took.
func (p *peer) work(t *testing.T, n int) (took []time.Duration) {
	for i := range n {
		began := time.Now()
		path := fmt.Sprintf("%s-%d", p.name, i%10)
		want := fmt.Sprint("round ", i)
		_, token, _, err := p.do("LOCK", path, lockInfo)
		if err != nil || token == "" {
			t.Errorf("LOCK: %v", err)
			return took
		}
		put, _, _, _ := p.do("PUT", path, want, "If: ("+token+")")
		get, _, text, _ := p.do("GET", path, "")
		unlock, _, _, err := p.do("UNLOCK", path, "", "Lock-Token: "+token)
		if put/100 != 2 || get != 200 || text != want || unlock != 204 {
			t.Errorf("PUT %d, GET %d with %q, UNLOCK %d, %v", put, get, text, unlock, err)
			return took
		}
		took = append(took, time.Since(began))
	}
	return took
}

// stall opens a connection, sends text and no more, and reads nothing.
func stall(url, address, text string) (net.Conn, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	conn, err := dialer.Dial("tcp", strings.Trim(strings.TrimPrefix(url, "http:"), "/"))
	if err == nil {
		io.WriteString(conn, text) // the server may have closed it
	}
	return conn, err
}

// A hostile user stalls more connections than it may have, makes as many locks as it may, tries the
// locks of another user, and sends what is large or malformed. The other user notices only that the
// machine is busy: nothing of hers fails.
func TestHostileUserHarmsNoOther(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has 127.0.0.2 without being told")
	}
	url := start(t, "-dir", t.TempDir(), "-users", users(t), "-max-locks", "1000", "-max-body", "1000000")
	ann, eve := newPeer(t, url, "ann", "127.0.0.1"), newPeer(t, url, "eve", "127.0.0.2")
	alone := ann.work(t, 100)
	_, anns, _, err := ann.do("LOCK", "anns", lockInfo)
	if err != nil || anns == "" {
		t.Fatal(err)
	}

	made, over := 0, 0
	for i := range 1005 {
		switch status, _, _, _ := eve.do("LOCK", fmt.Sprint("eve-", i), lockInfo); status {
		case 201:
			made++
		case 503:
			over++
		}
	}
	if made != 1000 || over != 5 {
		t.Errorf("the hostile user has made %d locks, and %d were refused", made, over)
	}
	stop := make(chan bool)
	var attackers sync.WaitGroup
	attack := func(method, path, body string, statuses []int, header ...string) {
		attackers.Go(func() {
			for {
				status, _, _, err := eve.do(method, path, body, header...)
				if err == nil && !slices.Contains(statuses, status) {
					t.Errorf("%s %s of the hostile user = %d, want one of %v", method, path, status, statuses)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	attack("PUT", "anns", "eve", []int{423}, "If: ("+anns+")")
	attack("UNLOCK", "anns", "", []int{403}, "Lock-Token: "+anns)
	attack("DELETE", "anns", "", []int{423}, "If: <"+url+"anns> ("+anns+")")
	attack("PROPFIND", "", "<a"+strings.Repeat(" x=''", 10_000), []int{400}, "Depth: 1")
	attack("PROPFIND", "", "", []int{207}, "Depth: 1") // shows a thousand locks
	attack("PUT", "large", strings.Repeat("x", 1_000_001), []int{413})
	attack("PUT", "x", "", []int{400}, "If: "+strings.Repeat("(<a>)", 1000))
	var stalled []net.Conn
	for i := range 600 {
		text := []string{"PUT /s HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ZXZlOmV2ZQ==\r\nContent-Length: 9\r\n\r\nx", "GET /anns HT", ""}[i%3]
		if conn, err := stall(url, "127.0.0.2", text); err == nil {
			stalled = append(stalled, conn)
		}
	}
	beside := ann.work(t, 50)
	close(stop)
	attackers.Wait()
	for _, conn := range stalled {
		conn.Close()
	}
	if status, _, _, err := ann.do("UNLOCK", "anns", "", "Lock-Token: "+anns); status != 204 {
		t.Errorf("the lock of ann: %d, %v", status, err)
	}
	slices.Sort(alone)
	slices.Sort(beside)
	if len(alone) == 100 && len(beside) == 50 {
		t.Logf("LOCK, PUT, GET and UNLOCK together: alone %v (median) and %v (99 of 100), beside the hostile user %v (median) and %v (most)",
			alone[50], alone[99], beside[25], beside[49])
	}
}

// The live page shows the locks of clients.
func TestLivePageShowsLocks(t *testing.T) {
	page := reserve(t)
	url := start(t, "-dir", t.TempDir(), "-page", page)
	p := newPeer(t, url, "ann", "127.0.0.1")
	_, token, _, err := p.do("LOCK", "report.txt", lockInfo)
	if err != nil || token == "" {
		t.Fatal(err)
	}
	p.url = "http://" + page + "/"
	if status, _, text, err := p.do("GET", "", ""); status != 200 || !strings.Contains(text, "report.txt") {
		t.Errorf("the live page: %d, %v, %.2000s", status, err, text)
	}
}

// reserve returns an address that was free a moment ago.
func reserve(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
