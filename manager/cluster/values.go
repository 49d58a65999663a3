package cluster

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/locktable"
	"github.com/treelock/treelock/internal/terms"
)

// The versions of the keys and values. The version of a prefix is in ns/meta. The first byte of a
// value is the version that its layout came with.
const (
	formatUndated = 1 // batches have no time
	format        = 2 // the latest: batches have one
)

// Bounds of a value that is read. No session writes more.
const (
	maxBatch    = 1 << 16 // requests in a batch, as a token has 16 bits for them
	maxBatchLen = 1 << 20 // bytes of a batch; etcd takes 1.5 MiB in a transaction

	maxMade = 253402300799999 // the end of the year 9999, in milliseconds: JSON has no later time
)

// errBadValue is the error for a value that no session writes.
var errBadValue = errors.New("a value that is not of this format")

type claim = locktable.Claim[treelock.Path]

// A proposed request is what a batch has of a request.
type proposed struct {
	claims []claim
	label  string
}

// appendRequest appends a request to the value of a batch.
func appendRequest(b []byte, p proposed) []byte {
	return appendClaims(appendText(b, p.label), p.claims)
}

func appendClaims(b []byte, claims []claim) []byte {
	b = binary.AppendUvarint(b, uint64(len(claims)))
	for _, c := range claims {
		named := terms.ClaimOf(c.Lineage[0], c.Mode)
		b = append(b, byte(named.Scope)<<1|byte(named.Access))
		b = appendText(b, string(named.Node))
	}
	return b
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// appendTime appends a time, in milliseconds since 1970.
func appendTime(b []byte, t time.Time) []byte {
	return binary.AppendUvarint(b, uint64(min(max(t.UnixMilli(), 1), maxMade)))
}

// A written batch is what the value of a batch says besides its requests.
type written struct {
	name string // of the process

	// made is when the process has written it, by its own clock; zero in a batch of version 1. It is
	// for the ages that are shown: clocks differ, so no decision depends on it.
	made time.Time
}

// batchValue returns the value of a batch. Without a time it has version 1.
func batchValue(w written, requests [][]byte) []byte {
	b := []byte{formatUndated}
	if !w.made.IsZero() {
		b = appendTime([]byte{format}, w.made)
	}
	b = appendText(b, w.name)
	b = binary.AppendUvarint(b, uint64(len(requests)))
	for _, r := range requests {
		b = append(b, r...)
	}
	return b
}

// parseBatch is the reverse of batchValue.
func parseBatch(value []byte) (w written, requests []proposed, err error) {
	r := reader{rest: value}
	if r.version(format) > formatUndated {
		w.made = r.time()
	}
	w.name = r.text()
	for range r.length() {
		requests = append(requests, proposed{label: r.text(), claims: r.claims()})
	}
	if w.name == "" || len(requests) > maxBatch {
		r.fail()
	}
	return w, requests, r.end()
}

// An amendment is what has become of the requests of a batch. The latest one says all.
type amendment struct {
	ended    []int       // their indices, growing
	narrowed []narrowing // by their indices, growing
}

// A narrowing is what a request holds now.
type narrowing struct {
	index  int
	claims []claim
}

// ends reports whether a request has ended.
func (a amendment) ends(index int) bool {
	_, found := slices.BinarySearch(a.ended, index)
	return found
}

// narrows returns what a request holds now, if it was narrowed.
func (a amendment) narrows(index int) (claims []claim, ok bool) {
	i, found := slices.BinarySearchFunc(a.narrowed, index, func(n narrowing, index int) int {
		return cmp.Compare(n.index, index)
	})
	if !found {
		return nil, false
	}
	return a.narrowed[i].claims, true
}

// value returns the value of an amendment. Its layout is that of version 1.
func (a amendment) value() []byte {
	b := binary.AppendUvarint([]byte{formatUndated}, uint64(len(a.ended)))
	next := 0
	for _, i := range a.ended {
		b = binary.AppendUvarint(b, uint64(i-next))
		next = i + 1
	}
	b = binary.AppendUvarint(b, uint64(len(a.narrowed)))
	next = 0
	for _, n := range a.narrowed {
		b = appendClaims(binary.AppendUvarint(b, uint64(n.index-next)), n.claims)
		next = n.index + 1
	}
	return b
}

// parseAmendment is the reverse of value.
func parseAmendment(value []byte) (a amendment, err error) {
	r := reader{rest: value}
	r.version(formatUndated)
	next := 0
	for range r.length() {
		i := next + r.count(maxBatch)
		a.ended, next = append(a.ended, i), i+1
	}
	next = 0
	for range r.length() {
		i := next + r.count(maxBatch)
		a.narrowed, next = append(a.narrowed, narrowing{i, r.claims()}), i+1
	}
	if next > maxBatch || len(a.ended) > 0 && a.ended[len(a.ended)-1] >= maxBatch {
		r.fail()
	}
	return a, r.end()
}

// A reader reads a value from its beginning. After the first error it reads zeros.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail() {
	if r.err == nil {
		r.err = errBadValue
	}
	r.rest = nil
}

// end returns the first error. Bytes that are left are one.
func (r *reader) end() error {
	if r.err == nil && len(r.rest) > 0 {
		r.fail()
	}
	return r.err
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail()
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

// version reads the version of a value, of which latest is the latest.
func (r *reader) version(latest byte) byte {
	v := r.byte()
	if r.err == nil && (v == 0 || v > latest) {
		r.fail()
		r.err = fmt.Errorf("%w: it has version %d, and this program knows versions up to %d", errBadValue, v, latest)
	}
	return v
}

// time reads a time, which is not zero.
func (r *reader) time() time.Time {
	millis := r.number(maxMade)
	if millis == 0 {
		r.fail()
		return time.Time{}
	}
	return time.UnixMilli(int64(millis))
}

func (r *reader) count(limit int) int { return int(r.number(uint64(limit))) }

// number reads a number of at most limit. One number has one form, without zeros at its end.
func (r *reader) number(limit uint64) uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > limit || size > 1 && r.rest[size-1] == 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// length reads how many things follow, and calls for each of them. Each takes a byte, so there is
// an end to it, before much is allocated, also if the number is wrong.
func (r *reader) length() iter.Seq[int] {
	n := r.count(len(r.rest))
	return func(yield func(int) bool) {
		for i := 0; i < n && r.err == nil && yield(i); i++ {
		}
	}
}

func (r *reader) text() string {
	n := r.count(len(r.rest))
	if n > len(r.rest) {
		r.fail()
		return ""
	}
	text := string(r.rest[:n])
	r.rest = r.rest[n:]
	return text
}

// claims reads claims of valid paths.
func (r *reader) claims() (claims []claim) {
	for range r.length() {
		bits, path := r.byte(), treelock.Path(r.text())
		if _, err := treelock.ParsePath(string(path)); err != nil || bits > 3 {
			r.fail()
			return nil
		}
		mode := terms.ModeOf(treelock.Scope(bits>>1), treelock.Access(bits&1))
		claims = append(claims, claim{Mode: mode, Lineage: []treelock.Path{path}})
	}
	return claims
}
