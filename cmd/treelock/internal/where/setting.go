package where

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A setting is one thing that flags, the environment and files can set.
type setting struct {
	key     string // in a file
	flag    string // "" if there is none
	env     string // "" if there is none
	project bool   // a project's file may set it
	kind    kind
	set     func(s *Settings, text string) error
}

// A kind says what a value in a file looks like, and how it is shown.
type kind int

const (
	plain    kind = iota
	list          // of strings, with commas between elsewhere
	boolean       // true or false
	fileName      // relative to the folder of the file that has it
	secret        // is not shown
)

// table has all settings, in the order of docs/command.md.
var table = []setting{
	{"endpoints", "etcd", "ETCDCTL_ENDPOINTS", true, list, (*Settings).setEndpoints},
	{"prefix", "prefix", "TREELOCK_PREFIX", true, plain, (*Settings).setPrefix},
	{"root", "root", "TREELOCK_ROOT", false, fileName, (*Settings).setRoot},
	{"raw", "raw", "", true, boolean, func(s *Settings, text string) error { return parseBool(&s.Raw, text) }},
	{"name", "name", "TREELOCK_NAME", false, plain, (*Settings).setName},
	{"ttl", "ttl", "TREELOCK_TTL", true, plain, (*Settings).setTTL},
	{"connect-timeout", "connect-timeout", "ETCDCTL_DIAL_TIMEOUT", true, plain, (*Settings).setConnect},
	{"cacert", "", "ETCDCTL_CACERT", false, fileName, func(s *Settings, text string) error { s.tls.ca = text; return nil }},
	{"cert", "", "ETCDCTL_CERT", false, fileName, func(s *Settings, text string) error { s.tls.cert = text; return nil }},
	{"key", "", "ETCDCTL_KEY", false, fileName, func(s *Settings, text string) error { s.tls.key = text; return nil }},
	{"insecure-skip-tls-verify", "", "ETCDCTL_INSECURE_SKIP_TLS_VERIFY", false, boolean,
		func(s *Settings, text string) error { return parseBool(&s.tls.skipVerify, text) }},
	{"user", "", "ETCDCTL_USER", false, secret, func(s *Settings, text string) error { s.user = text; return nil }},
	{"password", "", "ETCDCTL_PASSWORD", false, secret, func(s *Settings, text string) error { s.password = text; return nil }},
}

// settingOf returns the setting of a key.
func settingOf(key string) (setting, bool) {
	for _, s := range table {
		if s.key == key {
			return s, true
		}
	}
	return setting{}, false
}

// show returns a value for readers.
func (s setting) show(text string) string {
	switch {
	case s.key == "user":
		text, _, _ = strings.Cut(text, ":") // a password may follow
	case s.kind == secret:
		text = "set"
	}
	return strconv.Quote(text)[1 : len(strconv.Quote(text))-1]
}

func (s *Settings) setEndpoints(text string) error {
	s.Endpoints = nil
	for endpoint := range strings.SplitSeq(text, ",") {
		endpoint = strings.TrimSpace(endpoint)
		if err := checkEndpoint(endpoint); err != nil {
			return err
		}
		s.Endpoints = append(s.Endpoints, endpoint)
	}
	return nil
}

func (s *Settings) setPrefix(text string) error {
	s.Prefix = strings.TrimRight(text, "/")
	switch {
	case s.Prefix == "":
		return errors.New("it is empty, and one prefix is one tree")
	case len(s.Prefix) > maxPrefixLen:
		return fmt.Errorf("it has %d bytes, and at most %d are allowed", len(s.Prefix), maxPrefixLen)
	}
	return nil
}

func (s *Settings) setRoot(text string) (err error) {
	if text == "" {
		return errors.New("it is empty")
	}
	if s.Root, err = filepath.Abs(text); err != nil {
		return err
	}
	return isFolder(s.Root)
}

func isFolder(name string) error {
	info, err := os.Stat(name)
	var path *os.PathError
	switch {
	case errors.As(err, &path):
		return path.Err
	case err == nil && !info.IsDir():
		return errors.New("it is not a folder")
	}
	return err
}

func (s *Settings) setName(text string) error {
	if s.Name = text; text == "" {
		return errors.New("it is empty")
	}
	return nil
}

func (s *Settings) setTTL(text string) error {
	err := parseDuration(&s.TTL, text)
	if err == nil && (s.TTL < minTTL || s.TTL > maxTTL) {
		return fmt.Errorf("it must be from %v to %v", minTTL, maxTTL)
	}
	return err
}

func (s *Settings) setConnect(text string) error {
	err := parseDuration(&s.Connect, text)
	if err == nil && s.Connect <= 0 {
		return errors.New("it must be more than 0")
	}
	return err
}

func parseDuration(d *time.Duration, text string) (err error) {
	if *d, err = time.ParseDuration(text); err != nil {
		return errors.New(`it is not a duration, such as "10s"`)
	}
	return nil
}

func parseBool(b *bool, text string) (err error) {
	if *b, err = strconv.ParseBool(text); err != nil {
		return errors.New("it is neither true nor false")
	}
	return nil
}
