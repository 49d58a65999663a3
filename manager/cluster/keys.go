package cluster

import (
	"fmt"
	"strconv"
	"strings"
)

// The keys of one prefix ns. All but meta are attached to the lease of the session that writes
// them.
//
//	ns/meta                 the version of the format, and the id of the cluster
//	ns/c/<session>          the number of the last transaction of the session
//	ns/q/<session>/<n>/a    batch n of the session: when it was made, and its requests; written once
//	ns/q/<session>/<n>/d    the amendments of batch n: what has ended, what was narrowed; overwritten
//	ns/q/<session>/<n>/g/<i>  request i is held, and has a guard
//	ns/q/<session>/<n>/x/<i>  another session asks to end request i; the value is the cause
//
// A session is the id of its lease in 16 hexadecimal digits, and numbers are decimal.
type keys struct{ ns string }

// maxPrefixLen is how long ns may be. Each operation of a transaction has it: etcd bounds the sum.
const maxPrefixLen = 1 << 10

func (k keys) meta() string               { return k.ns + "/meta" }
func (k keys) control(lease int64) string { return fmt.Sprintf("%s/c/%016x", k.ns, uint64(lease)) }
func (k keys) requests() string           { return k.ns + "/q/" }

func (k keys) batch(lease, n int64) string     { return k.of(lease, n) + "/a" }
func (k keys) amendment(lease, n int64) string { return k.of(lease, n) + "/d" }
func (k keys) revocation(lease, n int64, i int) string {
	return k.of(lease, n) + "/x/" + strconv.Itoa(i)
}

// guard returns the key of a guard. The log has no use for it, so parse does not know it.
func (k keys) guard(lease, n int64, i int) string {
	return k.of(lease, n) + "/g/" + strconv.Itoa(i)
}

func (k keys) of(lease, n int64) string {
	return fmt.Sprintf("%s%016x/%d", k.requests(), uint64(lease), n)
}

// A keyKind is what the last part of a key below ns/q says.
type keyKind byte

const (
	keyBatch      keyKind = 'a'
	keyAmendment  keyKind = 'd'
	keyRevocation keyKind = 'x'
)

// A requestKey is a key below ns/q.
type requestKey struct {
	lease, n int64
	kind     keyKind
	index    int // of keyRevocation
}

// parse returns what a key below ns/q means. ok is false if it is none that a session writes.
func (k keys) parse(key string) (r requestKey, ok bool) {
	rest, ok := strings.CutPrefix(key, k.requests())
	if !ok {
		return r, false
	}
	parts := strings.Split(rest, "/")
	if len(parts) < 3 || len(parts[0]) != 16 || len(parts[2]) != 1 {
		return r, false
	}
	lease, err := strconv.ParseUint(parts[0], 16, 64)
	if err != nil {
		return r, false
	}
	if r.n, err = strconv.ParseInt(parts[1], 10, 64); err != nil {
		return r, false
	}
	r.lease, r.kind = int64(lease), keyKind(parts[2][0])
	switch {
	case r.kind == keyRevocation && len(parts) == 4:
		r.index, err = strconv.Atoi(parts[3])
	case r.kind != keyBatch && r.kind != keyAmendment || len(parts) != 3:
		return r, false
	}
	// One text means one key: "+1" and "01" are no numbers of ours.
	return r, err == nil && r.n > 0 && r.index >= 0 && key == k.text(r)
}

// text is the reverse of parse.
func (k keys) text(r requestKey) string {
	switch r.kind {
	case keyBatch:
		return k.batch(r.lease, r.n)
	case keyAmendment:
		return k.amendment(r.lease, r.n)
	default:
		return k.revocation(r.lease, r.n, r.index)
	}
}
