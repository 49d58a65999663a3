package where

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// tlsFiles say how to speak TLS with etcd.
type tlsFiles struct {
	ca, cert, key string // names of files; "" means none
	skipVerify    bool
}

// configure sets how to reach etcd, from all settings.
func (s *Settings) configure() error {
	s.config = clientv3.Config{Endpoints: s.Endpoints, DialTimeout: s.Connect, Logger: zap.NewNop()}
	if s.Dev { // it knows neither certificates nor users
		return nil
	}
	err := s.setCredentials()
	if err == nil && encrypted(s.Endpoints[0], s.tls != tlsFiles{}) {
		s.config.TLS, err = s.tls.load()
	}
	if err == nil {
		err = checkMixed(s.Endpoints, s.tls != tlsFiles{})
	}
	if err != nil {
		return &kindError{ErrConfig, err}
	}
	return nil
}

// setCredentials sets the user and the password. As with etcdctl, they can be in one, and a
// password of its own counts first.
func (s *Settings) setCredentials() error {
	s.config.Username, s.config.Password = s.user, s.password
	if s.password == "" {
		s.config.Username, s.config.Password, _ = strings.Cut(s.user, ":")
	}
	from := s.placeOf("endpoints")
	switch {
	case s.config.Username == "" && s.config.Password == "":
		return nil
	case s.config.Username == "":
		return errors.New("there is a password for etcd, and no user: set ETCDCTL_USER")
	case s.config.Password == "":
		return fmt.Errorf("there is no password for the user %q of etcd: set ETCDCTL_PASSWORD", s.config.Username)
	case filepath.Base(from) == projectFile:
		return fmt.Errorf("%s: its endpoints get no password: set them by --etcd or ETCDCTL_ENDPOINTS", from)
	}
	return nil
}

// placeOf returns where a setting comes from.
func (s *Settings) placeOf(key string) string {
	for _, source := range s.Sources {
		if source.Key == key {
			return source.Place
		}
	}
	return ""
}

// load reads the files. Without one the machine's certificates count.
func (f tlsFiles) load() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: f.skipVerify}
	if f.ca != "" {
		text, err := os.ReadFile(f.ca)
		if err != nil {
			return nil, fmt.Errorf("read the certificate of etcd's authority: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("read the certificate of etcd's authority: %s has none", f.ca)
		}
	}
	switch {
	case f.cert == "" && f.key == "":
		return config, nil
	case f.cert == "":
		return nil, fmt.Errorf("the key %s has no certificate: set ETCDCTL_CERT", f.key)
	case f.key == "":
		return nil, fmt.Errorf("the certificate %s has no key: set ETCDCTL_KEY", f.cert)
	}
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return nil, fmt.Errorf("read the certificate %s and its key %s: %w", f.cert, f.key, err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}
