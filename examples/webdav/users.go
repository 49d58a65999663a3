package main

import (
	"bufio"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/treelock/treelock/examples/webdav/internal/dav"
)

// iterations is how often -hash hashes a password: it takes a tenth of a second or so.
const iterations = 600_000

// A userList says who may use the server.
type userList struct {
	users map[string]*account
	// hashing has room for one: so those who guess passwords keep one processor busy and no more.
	// Users whose password was verified once do not come here.
	hashing chan struct{}
	key     []byte // of the sums in account.known
}

// An account has the hash of a password.
type account struct {
	iterations int
	salt, hash []byte
	known      atomic.Pointer[string] // a sum of the password that was verified last
}

// hashPassword returns the hash of a password, as the file has it after the name of a user.
func hashPassword(password string, iterations int) (string, error) {
	salt := make([]byte, 16)
	rand.Read(salt)
	hash, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	code := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("pbkdf2-sha256$%d$%s$%s", iterations, code(salt), code(hash)), err
}

// printHash reads a password from in and prints its hash.
func printHash(in io.Reader, out io.Writer) error {
	password, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	if password = strings.TrimRight(password, "\r\n"); password == "" {
		return fmt.Errorf("no password on the standard input")
	}
	text, err := hashPassword(password, iterations)
	if err == nil {
		_, err = fmt.Fprintln(out, text)
	}
	return err
}

// readUsers reads a file of users.
func readUsers(name string) (*userList, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	l := &userList{users: map[string]*account{}, hashing: make(chan struct{}, 1), key: make([]byte, 32)}
	rand.Read(l.key)
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		user, hash, _ := strings.Cut(line, ":")
		a, err := parseHash(hash)
		if user == "" || err != nil {
			return nil, fmt.Errorf("%s:%d: not a user and a hash as -hash prints it", name, i+1)
		}
		l.users[user] = a
	}
	if len(l.users) == 0 {
		return nil, fmt.Errorf("%s: no users", name)
	}
	return l, nil
}

func parseHash(text string) (*account, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 4 || parts[0] != "pbkdf2-sha256" {
		return nil, fmt.Errorf("an unknown hash")
	}
	a := &account{}
	var err error
	if a.iterations, err = strconv.Atoi(parts[1]); err == nil && a.iterations < 1 {
		err = fmt.Errorf("no iterations")
	}
	if err == nil {
		a.salt, err = base64.RawStdEncoding.DecodeString(parts[2])
	}
	if err == nil {
		a.hash, err = base64.RawStdEncoding.DecodeString(parts[3])
	}
	if err == nil && len(a.hash) != sha256.Size {
		err = fmt.Errorf("a hash of %d bytes", len(a.hash))
	}
	return a, err
}

// guard returns a handler that passes on the requests of users.
func (l *userList) guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, password, _ := r.BasicAuth()
		if !l.verify(r, name, password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="webdav", charset="UTF-8"`)
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		if counted, ok := w.(*countingWriter); ok {
			counted.user = name
		}
		h.ServeHTTP(w, r.WithContext(dav.WithUser(r.Context(), name)))
	})
}

// verify reports whether this is the password of a user. It takes as long for an unknown user.
func (l *userList) verify(r *http.Request, name, password string) bool {
	mac := hmac.New(sha256.New, l.key)
	mac.Write([]byte(password))
	sum := string(mac.Sum(nil))
	a, ok := l.users[name]
	if ok {
		if known := a.known.Load(); known != nil && hmac.Equal([]byte(*known), []byte(sum)) {
			return true
		}
	} else if name == "" {
		return false
	} else {
		a = &account{iterations: iterations, hash: make([]byte, sha256.Size)}
	}
	select {
	case l.hashing <- struct{}{}:
		defer func() { <-l.hashing }()
	case <-r.Context().Done():
		return false
	}
	hash, err := pbkdf2.Key(sha256.New, password, a.salt, a.iterations, sha256.Size)
	if err != nil || !ok || !hmac.Equal(hash, a.hash) {
		return false
	}
	a.known.Store(&sum)
	return true
}
