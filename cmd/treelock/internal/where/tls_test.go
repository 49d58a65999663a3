package where

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWrongTLSFileIsAnErrorThatNamesIt(t *testing.T) {
	s := newSite(t)
	empty := s.write(filepath.Join(s.config, "empty.pem"), "")
	gone := filepath.Join(s.config, "gone.pem")
	for _, test := range []struct{ ca, cert, key, want string }{
		{gone, "", "", "read the certificate of etcd's authority: open " + gone},
		{empty, "", "", "read the certificate of etcd's authority: " + empty + " has none"},
		{"", empty, "", "the certificate " + empty + " has no key: set ETCDCTL_KEY"},
		{"", "", empty, "the key " + empty + " has no certificate: set ETCDCTL_CERT"},
		{"", gone, empty, "read the certificate " + gone + " and its key " + empty + ": open " + gone},
		{"", empty, empty, "read the certificate " + empty + " and its key " + empty + ": tls: "},
	} {
		t.Setenv("ETCDCTL_CACERT", test.ca)
		t.Setenv("ETCDCTL_CERT", test.cert)
		t.Setenv("ETCDCTL_KEY", test.key)
		for _, endpoint := range []string{"https://a:1", "a:1"} { // one without a scheme uses TLS as well
			if _, err := find(t, "--etcd="+endpoint); err == nil || !strings.HasPrefix(err.Error(), test.want) || !errors.Is(err, ErrConfig) {
				t.Errorf("%+v: %v, want an ErrConfig %q", test, err, test.want)
			}
		}
		if got, err := find(t, "--etcd=unix:///x"); err != nil || got.config.TLS != nil {
			t.Errorf("%+v: without encryption: %v", test, err)
		}
	}
}

func TestVerificationCanBeTurnedOff(t *testing.T) {
	newSite(t)
	t.Setenv("ETCDCTL_INSECURE_SKIP_TLS_VERIFY", "true")
	got, err := find(t, "--etcd=https://a:1")
	if err != nil || !got.config.TLS.InsecureSkipVerify {
		t.Errorf("find: %v", err)
	}
	os.Unsetenv("ETCDCTL_INSECURE_SKIP_TLS_VERIFY")
	got, err = find(t, "--etcd=https://a:1")
	if err != nil || got.config.TLS.InsecureSkipVerify {
		t.Errorf("find: %v", err)
	}
}
