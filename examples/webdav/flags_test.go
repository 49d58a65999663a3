package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate writes a certificate for 127.0.0.1 and its key into files.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		name = filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	pool = x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", keyDER), pool
}

func TestTLS(t *testing.T) {
	cert, key, pool := certificate(t)
	url := start(t, "-tls-cert", cert, "-tls-key", key)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer transport.CloseIdleConnections()
	w, err := (&http.Client{Transport: transport}).Get(url + "welcome.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	if !strings.HasPrefix(url, "https://") || w.StatusCode != 200 {
		t.Errorf("GET %s = %d", url, w.StatusCode)
	}
}

func TestAccessLogHasALineForEachRequest(t *testing.T) {
	var out bytes.Buffer
	hash, err := hashPassword("secret", 1)
	if err != nil {
		t.Fatal(err)
	}
	users := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(users, []byte("ann:"+hash), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := readUsers(users)
	if err != nil {
		t.Fatal(err)
	}
	h := logged(slog.New(slog.NewTextHandler(&out, nil)), list.guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, "four")
	})))
	r := httptest.NewRequest("PUT", "/a%0ab", nil)
	r.SetBasicAuth("ann", "secret")
	h.ServeHTTP(httptest.NewRecorder(), r)
	line := out.String()
	for _, want := range []string{"user=ann", "method=PUT", `path="/a\nb"`, "status=201", "bytes=4"} {
		if !strings.Contains(line, want) {
			t.Errorf("no %s in %s", want, line)
		}
	}
	if strings.Count(line, "\n") != 1 || strings.Contains(line, "secret") {
		t.Errorf("the log is %q", line)
	}
	out.Reset()
	r.SetBasicAuth("bob", "guess")
	h.ServeHTTP(httptest.NewRecorder(), r)
	if line := out.String(); !strings.Contains(line, `user="" `) || !strings.Contains(line, "status=401") {
		t.Errorf("the log of a request with a wrong password is %q", line)
	}
}

func TestBadFlagsAreRefused(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(empty, []byte("ann:plain\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"-dir", filepath.Join(t.TempDir(), "none")}, {"-tls-cert", "x"}, {"more"}, {"-dir", ".", "-bucket", "mem://"},
		{"-bucket", "mem:///?x=y"}, {"-users", empty}, {"-users", empty + ".none"},
	} {
		if err := run(context.Background(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("run(%v) = nil", args)
		}
	}
}

func TestHashIsThatOfAPassword(t *testing.T) {
	var out bytes.Buffer
	if err := printHash(strings.NewReader("secret\n"), &out); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(name, []byte("ann:"+out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := readUsers(name)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	for password, want := range map[string]bool{"secret": true, "secret\n": false, "": false} {
		if got := l.verify(r, "ann", password); got != want {
			t.Errorf("verify(%q) = %t", password, got)
		}
	}
}
