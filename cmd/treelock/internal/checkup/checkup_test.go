package checkup

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/treelock/treelock/cmd/treelock/internal/devetcd"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// lines returns the findings of a report.
func lines(r *Report) string {
	var all []string
	for _, f := range r.Findings {
		all = append(all, string(f.State)+" "+f.Check+" "+f.Text)
	}
	return strings.Join(all, "\n")
}

func settings(t *testing.T, args ...string) *where.Settings {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	var f where.Flags
	set := pflag.NewFlagSet("treelock", pflag.ContinueOnError)
	f.Add(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	s, err := f.Find()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestVersionsAndLeaders(t *testing.T) {
	for _, test := range []struct {
		status *clientv3.StatusResponse
		want   string
	}{
		{&clientv3.StatusResponse{Version: "3.5.13", Leader: 1}, "ok version E is etcd 3.5.13"},
		{&clientv3.StatusResponse{Version: "3.6.0-rc.1", Leader: 1}, "ok version E is etcd 3.6.0-rc.1"},
		{&clientv3.StatusResponse{Version: "10.0.0", Leader: 1}, "ok version E is etcd 10.0.0"},
		{&clientv3.StatusResponse{Version: "3.5.12", Leader: 1}, "wrong version E is etcd 3.5.12, and 3.5.13 or later is needed"},
		{&clientv3.StatusResponse{Version: "2.3.8", Leader: 1}, "wrong version E is etcd 2.3.8, and 3.5.13 or later is needed"},
		{&clientv3.StatusResponse{Version: "x", Leader: 1}, `wrong version E: the version of etcd is not known: it says "x"`},
		{&clientv3.StatusResponse{Version: "3.7.0"}, "ok version E is etcd 3.7.0\nwrong leader E knows no leader: most members of its cluster do not reach one another"},
		{&clientv3.StatusResponse{Version: "3.7.0", Leader: 1, IsLearner: true}, "ok version E is etcd 3.7.0\nwrong leader E is a learner, which serves no locks"},
	} {
		r := &Report{OK: true}
		(&member{endpoint: "E", answers: true, status: test.status}).report(r)
		if got := lines(r); got != "ok endpoint E answers\n"+test.want || r.OK == strings.Contains(got, "wrong") {
			t.Errorf("status %v: OK %v,\n%s\nwant %s", test.status.Version, r.OK, got, test.want)
		}
	}
}

func TestQuota(t *testing.T) {
	const mib = 1 << 20
	for _, test := range []struct {
		status *clientv3.StatusResponse
		want   string
	}{
		{&clientv3.StatusResponse{DbSize: 8 * mib, DbSizeQuota: 10 * mib}, "ok quota E has 8 MiB of data, of 10 MiB at most, and no alarm"},
		{&clientv3.StatusResponse{DbSize: 8*mib + 1, DbSizeInUse: 512, DbSizeQuota: 10 * mib}, "warn quota E has 8 MiB of data, of 10 MiB at most; 512 B are in use"},
		{&clientv3.StatusResponse{DbSize: 3 << 30}, "unknown quota E has 3 GiB of data and no alarm, and does not tell its quota"},
		{&clientv3.StatusResponse{Errors: []string{"NOSPACE"}}, "wrong quota E tells of NOSPACE; new requests wait until there is room and the alarm is disarmed"},
	} {
		r := &Report{OK: true}
		quota(r, []*member{{endpoint: "E", status: test.status}})
		if got := lines(r); got != test.want {
			t.Errorf("quota: %s, want %s", got, test.want)
		}
	}
}

func TestSlowCallsAreWrong(t *testing.T) {
	p := prefix{s: &where.Settings{TTL: 6 * time.Second}}
	for median, want := range map[time.Duration]State{0: OK, 300 * time.Millisecond: OK, 301 * time.Millisecond: Warn, 2 * time.Second: Warn, 2*time.Second + 1: Wrong} {
		if got := p.judge(median); got != want {
			t.Errorf("judge(%v) = %s, want %s", median, got, want)
		}
	}
}

func TestClocks(t *testing.T) {
	for _, test := range []struct {
		ahead time.Duration
		want  string
	}{
		{0, "ok clock the clock of E agrees with this one to "},
		{time.Hour, "warn clock the clock of E differs from this one by "},
		{-time.Hour, "warn clock the clock of E differs from this one by -"},
		{-1, "unknown clock E does not tell its time; "},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(test.ahead).UTC().Format(http.TimeFormat))
			if test.ahead == -1 {
				w.Header()["Date"] = nil
			}
		}))
		defer server.Close()
		r := &Report{OK: true}
		clocks(t.Context(), r, settings(t, "--etcd="+server.URL), []*member{{endpoint: server.URL}})
		if got := strings.ReplaceAll(lines(r), server.URL, "E"); !strings.HasPrefix(got, test.want) || !r.OK {
			t.Errorf("%v ahead: %s, want %s", test.ahead, got, test.want)
		}
	}
}

func TestCompaction(t *testing.T) {
	dir, err := os.MkdirTemp("", "tl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	server, err := devetcd.Start(t.Context(), dir, "http://127.0.0.1:0", true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	s := settings(t, "--etcd="+server.Endpoint)
	client, err := s.Client()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	look := func(want string) {
		t.Helper()
		p := &prefix{&Report{OK: true}, s, client}
		p.compaction(t.Context(), 10)
		if got := lines(p.Report); !strings.HasPrefix(got, want) {
			t.Errorf("compaction: %s, want %s", got, want)
		}
	}
	look("ok compaction the revision is 1, so few can be kept")
	var last int64
	for range 20 {
		resp, err := client.Put(t.Context(), "a", "")
		if err != nil {
			t.Fatal(err)
		}
		last = resp.Header.Revision
	}
	look("warn compaction of 21 revisions more than 10 are kept: run etcd with --auto-compaction-retention=1m")
	if _, err := client.Compact(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	look("ok compaction of 21 revisions fewer than 10 are kept")
}
