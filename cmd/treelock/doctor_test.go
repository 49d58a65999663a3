//go:build unix

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/treelock/treelock/manager/cluster"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
)

// serve runs an etcd server in this process, as set changes it, and returns its endpoint.
func serve(t *testing.T, scheme string, set func(*embed.Config)) string {
	t.Helper()
	cfg := embed.NewConfig()
	at, self := url.URL{Scheme: scheme, Host: "127.0.0.1:0"}, url.URL{Scheme: "http", Host: "localhost:2380"}
	cfg.Dir, cfg.Logger, cfg.LogLevel, cfg.LogOutputs = t.TempDir(), "zap", "fatal", []string{"stderr"}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{at}, []url.URL{at}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = nil, []url.URL{self}
	cfg.InitialCluster = cfg.Name + "=" + self.String()
	cfg.UnsafeNoFsync, cfg.BcryptCost = true, 4
	if set != nil {
		set(cfg)
	}
	server, err := embed.StartEtcd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Server.Stop()
		server.Close()
	})
	<-server.Server.ReadyNotify()
	return scheme + "://" + server.Clients[0].Addr().String()
}

// do runs steps until one fails.
func do(t *testing.T, steps ...func() error) {
	t.Helper()
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
}

func TestDoctorOfACluster(t *testing.T) {
	h := newHome(t)
	endpoint := serve(t, "http", nil)
	c := clientOf(t, endpoint)
	before, err := c.Get(t.Context(), "", clientv3.WithFromKey())
	if err != nil {
		t.Fatal(err)
	}
	r := h.run("doctor", "--etcd", endpoint, "--json")
	r.want(t, 0, "")
	var d diagnosis
	if err := json.Unmarshal([]byte(r.stdout), &d); err != nil || !d.OK || !d.Answers {
		t.Errorf("doctor --json: %v\n%s", err, r.stdout)
	}
	var checks []string
	for _, f := range d.Findings {
		checks = append(checks, f.Check+" "+string(f.State))
	}
	want := "endpoint ok, version ok, permission ok, format ok, latency ok, latency ok, compaction ok, quota ok, clock ok"
	if got := strings.Join(checks, ", "); got != want {
		t.Errorf("findings: %s, want %s", got, want)
	}
	if d.Settings[0].Key != "endpoints" || d.Settings[0].Place != "--etcd" {
		t.Errorf("settings: %v", d.Settings)
	}
	after, err := c.Get(t.Context(), "", clientv3.WithFromKey())
	if err != nil || len(after.Kvs) > 0 || after.Header.Revision != before.Header.Revision {
		t.Errorf("doctor has left something: %v (%v)", after, err)
	}

	// What a manager writes is what doctor knows.
	m, err := cluster.Start(t.Context(), c, "/used")
	if err != nil {
		t.Fatal(err)
	}
	do(t, func() error { return m.Shutdown(context.Background()) })
	h.run("doctor", "--etcd", endpoint, "--prefix", "/used").want(t, 0, "the format of the prefix /used is 2\n")
	for _, test := range []struct{ value, want string }{
		{"x", "the key /bad/meta has another program's value"},
		{`{"format":-1}`, "the key /bad/meta has another program's value"},
		{`{"format":3}`, "the format of the prefix /bad is 3, and this program knows up to 2"},
		{`{"format":1,"cluster":"0"}`, "the prefix /bad was made in cluster 0, and this is cluster "},
	} {
		do(t, func() error { _, err := c.Put(t.Context(), "/bad/meta", test.value); return err })
		h.run("doctor", "--etcd", endpoint, "--prefix", "/bad").want(t, statusConflict, "wrong    format      "+test.want)
	}
	// A prefix may come from a file in a cloned repository.
	for _, args := range [][]string{nil, {"--json"}} {
		r := h.run(append([]string{"doctor", "--etcd", endpoint, "--prefix", "/" + hostile}, args...)...)
		wantPrintable(t, r.stdout)
		wantPrintable(t, r.stderr)
	}
	h.run("doctor", "--etcd", endpoint+",http://127.0.0.1:1", "--connect-timeout", "2s").
		want(t, statusConflict, "wrong    endpoint    http://127.0.0.1:1 does not answer: no answer within 2s: ")
	h.run("doctor", "--etcd", endpoint+","+serve(t, "http", func(c *embed.Config) { c.InitialClusterToken = "other" })).
		want(t, statusConflict, "are of two clusters")
}

func TestDoctorWhenNothingAnswers(t *testing.T) {
	h := newHome(t)
	began := time.Now()
	r := h.run("doctor", "--etcd", "http://127.0.0.1:1,http://127.0.0.1:2", "--connect-timeout", "1s")
	r.want(t, statusUnavailable, "wrong    endpoint    http://127.0.0.1:1 does not answer: no answer within 1s: ")
	r.want(t, statusUnavailable, "connection refused")
	if took := time.Since(began); took > deadline {
		t.Errorf("doctor took %v with a second for a connection", took)
	}
	// One that takes connections and says nothing.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, user := range []string{"ETCDCTL_USER=", "ETCDCTL_USER=ann:secret"} {
		h.run(user, "doctor", "--etcd", "http://"+l.Addr().String(), "--connect-timeout", "1s").
			want(t, statusUnavailable, "does not answer: no answer within 1s")
	}
}

func TestDoctorTellsOfAFullEtcd(t *testing.T) {
	h := newHome(t)
	endpoint := serve(t, "http", func(c *embed.Config) { c.QuotaBackendBytes = 200 << 10 })
	c := clientOf(t, endpoint)
	var err error
	for began := time.Now(); time.Since(began) < 20*time.Second; { // the size counts when it is saved
		if _, err = c.Put(t.Context(), "a", strings.Repeat("x", 20<<10)); err != nil {
			break
		}
	}
	if err == nil {
		t.Fatal("etcd is not full")
	}
	h.run("doctor", "--etcd", endpoint).want(t, statusConflict, "wrong    quota       "+endpoint+" tells of memberID:")
}

func TestDoctorSaysWhatAUserMayNotDo(t *testing.T) {
	h := newHome(t)
	endpoint := serve(t, "http", nil)
	c, ctx := clientOf(t, endpoint), t.Context()
	for _, user := range []string{"root", "ann", "bob"} {
		do(t, func() error { _, err := c.UserAdd(ctx, user, "secret"); return err },
			func() error { _, err := c.RoleAdd(ctx, user); return err },
			func() error { _, err := c.UserGrantRole(ctx, user, user); return err })
	}
	permit := func(user string, what clientv3.PermissionType) {
		do(t, func() error { _, err := c.RoleGrantPermission(ctx, user, "/ann/", "/ann0", what); return err })
	}
	permit("ann", clientv3.PermissionType(clientv3.PermReadWrite))
	permit("bob", clientv3.PermissionType(clientv3.PermRead))
	do(t, func() error { _, err := c.AuthEnable(ctx); return err })
	const ann = "ETCDCTL_USER=ann:secret"
	doctor := []string{"doctor", "--etcd", endpoint, "--prefix", "/ann"}
	run := func(args ...string) result { return h.run(append(args, doctor...)...) }
	run(ann).want(t, 0, "can read and write below /ann/\n")
	run("ETCDCTL_USER=ann", "ETCDCTL_PASSWORD=secret").want(t, 0, "set      user        ann (ETCDCTL_USER)\nset      password    set (ETCDCTL_PASSWORD)\n")
	run("ETCDCTL_USER=bob:secret").want(t, statusConflict, "wrong    permission  cannot write below /ann/: etcdserver: permission denied\n")
	run(ann, "TREELOCK_PREFIX=/x").want(t, 0, "") // the flag counts
	h.run(ann, "doctor", "--etcd", endpoint, "--prefix", "/x").want(t, statusConflict, "wrong    permission  cannot read below /x/: etcdserver: permission denied\n")
	run("ETCDCTL_USER=ann:wrong").want(t, statusConflict, "refuses: etcdserver: authentication failed, invalid user ID or password\n")
	run().want(t, statusConflict, "etcdserver: user name is empty\n")
}

// certificates makes an authority, and a certificate of it for this machine, in files.
func certificates(t *testing.T, dir string) (ca, cert, key string) {
	t.Helper()
	private, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "treelock"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	public, err2 := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	secret, err3 := x509.MarshalECPrivateKey(private)
	cert, key = dir+"/cert.pem", dir+"/key.pem"
	err4 := os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public}), 0o600)
	err5 := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}), 0o600)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	return cert, cert, key
}

func TestDoctorSpeaksTLS(t *testing.T) {
	h := newHome(t)
	ca, cert, key := certificates(t, h.dir)
	endpoint := serve(t, "https", func(c *embed.Config) {
		c.ClientTLSInfo = transport.TLSInfo{CertFile: cert, KeyFile: key, TrustedCAFile: ca, ClientCertAuth: true}
	})
	files := []string{"ETCDCTL_CACERT=" + ca, "ETCDCTL_CERT=" + cert, "ETCDCTL_KEY=" + key}
	doctor := []string{"doctor", "--etcd", endpoint, "--connect-timeout", "2s"}
	run := func(args ...string) result { return h.run(append(args, doctor...)...) }
	run(files...).want(t, 0, "ok       clock")
	run("ETCDCTL_INSECURE_SKIP_TLS_VERIFY=true", files[1], files[2]).want(t, 0, "")
	run(files[1], files[2]).want(t, statusUnavailable, "certificate signed by unknown authority")
	// The server wants a certificate of the client.
	run(files[0]).want(t, statusUnavailable, endpoint+" does not answer: ")
	run(files[0], files[1]).want(t, statusConfig, "the certificate "+cert+" has no key: set ETCDCTL_KEY\n")
	h.run(append(files, "doctor", "--etcd", strings.TrimPrefix(endpoint, "https://"))...).want(t, 0, "ok       clock")
}
