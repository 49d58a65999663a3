package checkup

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/treelock/treelock/cmd/treelock/internal/where"
)

// A clockDifference is how much later it is at a server, from least to most.
type clockDifference struct{ least, most time.Duration }

// clocks compares the time of this machine with that of the members.
func clocks(ctx context.Context, r *Report, s *where.Settings, reached []*member) {
	for _, m := range reached {
		d, ok := clockOf(ctx, s, m.endpoint)
		const rest = "locks need only that clocks run equally fast, and a look this short cannot measure that"
		switch {
		case !ok:
			r.add("clock", Unknown, "%s does not tell its time; %s", m.endpoint, rest)
		case d.least > tooFar || d.most < -tooFar:
			r.add("clock", Warn, "the clock of %s differs from this one by %v to %v, so ages in lists are wrong; %s",
				m.endpoint, d.least.Round(time.Second), d.most.Round(time.Second), rest)
		default:
			r.add("clock", OK, "the clock of %s agrees with this one to %v; %s",
				m.endpoint, max(d.most, -d.least).Round(100*time.Millisecond), rest)
		}
	}
}

// tooFar is a difference that readers of lists notice.
const tooFar = 5 * time.Second

// clockOf compares the clocks. The service of etcd has no time, but its answers over HTTP have a
// date, cut to a second.
func clockOf(ctx context.Context, s *where.Settings, endpoint string) (clockDifference, bool) {
	ctx, cancel := context.WithTimeout(ctx, s.Connect)
	defer cancel()
	config := s.Config()
	transport := &http.Transport{TLSClientConfig: config.TLS, DisableKeepAlives: true}
	url := endpoint
	switch scheme, rest, _ := strings.Cut(endpoint, ":"); scheme {
	case "http", "https":
	case "unix", "unixs":
		url = strings.Replace(scheme, "unix", "http", 1) + "://socket"
		name := "/" + strings.TrimLeft(rest, "/")
		if !strings.HasPrefix(rest, "///") {
			name = strings.TrimPrefix(rest, "//")
		}
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", name)
		}
	default:
		if url = "http://" + endpoint; config.TLS != nil {
			url = "https://" + endpoint
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(url, "/")+"/version", nil)
	if err != nil {
		return clockDifference{}, false
	}
	before := time.Now()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return clockDifference{}, false
	}
	defer resp.Body.Close()
	after := time.Now()
	date, err := http.ParseTime(resp.Header.Get("Date"))
	return clockDifference{date.Sub(after), date.Add(time.Second).Sub(before)}, err == nil
}
