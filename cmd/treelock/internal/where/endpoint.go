package where

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// DevSocket returns the name of the unix socket that treelock dev listens on.
func DevSocket() (string, error) {
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if !filepath.IsAbs(dir) {
		var err error
		if dir, err = os.UserCacheDir(); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "treelock", "dev.sock"), nil
}

// SocketEndpoint returns the endpoint of a unix socket.
func SocketEndpoint(name string) string {
	if runtime.GOOS == "windows" {
		return "unix:" + name // two slashes would make a host of the drive
	}
	return "unix://" + name
}

// SocketAnswers reports whether a process listens on a unix socket.
func SocketAnswers(name string) bool {
	conn, err := net.DialTimeout("unix", name, time.Second)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// devEndpoint returns the endpoint of treelock dev, if one runs.
func devEndpoint() (string, error) {
	socket, err := DevSocket()
	if err != nil || !SocketAnswers(socket) {
		return "", ErrNoServer
	}
	return SocketEndpoint(socket), nil
}

// checkEndpoint returns an error if etcd's client cannot use an endpoint. The client itself tries
// again and again.
func checkEndpoint(endpoint string) error {
	if endpoint == "" {
		return errors.New("an endpoint is empty")
	}
	scheme, rest, _ := strings.Cut(endpoint, ":")
	if scheme == "unix" || scheme == "unixs" {
		if strings.TrimLeft(rest, "/") == "" {
			return fmt.Errorf("the endpoint %s has no name of a socket", endpoint)
		}
		return nil
	}
	host := endpoint
	if strings.Contains(endpoint, "://") {
		u, err := url.Parse(endpoint)
		switch {
		case err != nil:
			return fmt.Errorf("the endpoint %q is not a URL", endpoint)
		case u.Scheme != "http" && u.Scheme != "https":
			return fmt.Errorf("the endpoint %s must begin with http, https, unix or unixs", endpoint)
		case u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
			return fmt.Errorf("the endpoint at %s has more than a host and a port", u.Host)
		}
		host = u.Host
	}
	if _, port, err := net.SplitHostPort(host); err != nil || port == "" {
		return fmt.Errorf("the endpoint %s has no port", endpoint)
	}
	return nil
}

// encrypted reports whether the client speaks TLS with an endpoint. It does so with one without a
// scheme if it has certificates.
func encrypted(endpoint string, certificates bool) bool {
	scheme, _, _ := strings.Cut(endpoint, ":")
	switch scheme {
	case "https", "unixs":
		return true
	case "http", "unix":
		return false
	}
	return certificates
}

// checkMixed returns an error if only some endpoints use TLS: the client does with all as with the
// first, so it would send a password in the clear.
func checkMixed(endpoints []string, certificates bool) error {
	first := encrypted(endpoints[0], certificates)
	i := slices.IndexFunc(endpoints, func(e string) bool { return encrypted(e, certificates) != first })
	if i < 0 {
		return nil
	}
	return fmt.Errorf("of the endpoints %s and %s only one uses TLS", endpoints[0], endpoints[i])
}
