package treelock_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// keyOf returns the key of a value.
func keyOf[K comparable](value K) treelock.Key[K] { return treelock.Key[K]{Value: value} }

func TestKeysConflictExactlyWithThemselves(t *testing.T) {
	write := func(name string) treelock.Request[treelock.Key[string]] {
		return treelock.For[treelock.Key[string]]().Write(keyOf(name))
	}
	names := []string{"", "/", "/a", "/a/b", "a"}
	for _, a := range names {
		for _, b := range names {
			if got := write(a).Conflicts(write(b)); got != (a == b) {
				t.Errorf("writes of the keys %q and %q conflict = %t, want %t", a, b, got, a == b)
			}
		}
	}
}

// point is a value that is no scalar and has no text of its own.
type point struct{ x, y int }

// secret is a string with a text of its own.
type secret string

func (s secret) String() string { return string(s[:1]) + "..." }

// A key is named as its value would be, with what does not print escaped once.
func TestKeyIsNamedAsItsValue(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, test := range []struct {
		key  fmt.Stringer // a claim of it
		want string
	}{
		{writeOf(keyOf("alice")), "write alice"},
		{writeOf(keyOf("")), `write ""`},
		{writeOf(keyOf("two\nlines")), `write "two\nlines"`},
		{writeOf(keyOf(`"quoted"`)), `write "\"quoted\""`},
		{writeOf(keyOf("caf\xe9")), `write "caf\xe9"`},
		{writeOf(keyOf(long)), "write " + long[:150] + "..." + long[:50]},
		{writeOf(keyOf(userName("bob"))), "write bob"},
		{writeOf(keyOf(secret("bob"))), "write b..."},
		{writeOf(keyOf(42)), "write 42"},
		{writeOf(keyOf(true)), "write true"},
		{writeOf(keyOf(point{1, 2})), "write {1 2}"},
		{writeOf(keyOf(netip.MustParseAddr("10.0.0.1"))), "write 10.0.0.1"},
		{writeOf(keyOf[any](7)), "write int(7)"},
		{writeOf(keyOf[any]("7")), "write string(7)"},
		{writeOf(keyOf(treelock.NodeOnly)), "write node"},
	} {
		if got := test.key.String(); got != test.want {
			t.Errorf("String() = %s, want %s", got, test.want)
		}
	}
}

// writeOf returns the claim to write node.
func writeOf[N treelock.Node[N]](node N) treelock.Claim[N] {
	return treelock.Claim[N]{Node: node, Access: treelock.Exclusive}
}

func TestKeysComeBackFromJSON(t *testing.T) {
	for _, s := range []string{"alice", "", " ", "two\nlines", `"`, `"quoted"`, "caf\xe9", "\xff", "\x00", strings.Repeat("x", 300)} {
		comesBack(t, keyOf(s))
		comesBack(t, keyOf(userName(s)))
		comesBack(t, keyOf(treelock.PathOf(s)))
	}
	for _, n := range []int64{0, -1, math.MaxInt64, math.MinInt64} {
		comesBack(t, keyOf(n))
		comesBack(t, keyOf(userID(n)))
		comesBack(t, keyOf(float64(n)/3))
	}
	comesBack(t, keyOf(true))
	comesBack(t, keyOf(netip.MustParseAddr("fe80::1%eth0")))
	comesBack(t, keyOf(treelock.NodeOnly))
	comesBack(t, keyOf(keyOf("a key of a key")))
}

// comesBack checks that key comes back from JSON: alone, in a claim, and as the key of a map.
func comesBack[K comparable](t *testing.T, key treelock.Key[K]) {
	t.Helper()
	was := writeOf(key)
	for _, v := range []any{key, was, map[treelock.Key[K]]int{key: 1}} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Errorf("Marshal(%v) = %v", v, err)
			continue
		}
		var alone treelock.Key[K]
		var claim treelock.Claim[treelock.Key[K]]
		var keys map[treelock.Key[K]]int
		switch v.(type) {
		case treelock.Key[K]:
			err = json.Unmarshal(data, &alone)
		case treelock.Claim[treelock.Key[K]]:
			err = json.Unmarshal(data, &claim)
		default:
			err = json.Unmarshal(data, &keys)
		}
		if err != nil || alone != key && claim != was && keys[key] != 1 {
			t.Errorf("Unmarshal(%s) = %v, %v, %v, %v, want %v", data, alone, claim, keys, err, v)
		}
	}
}

func TestKeysWithoutExactTextDoNotComeBack(t *testing.T) {
	key := keyOf(point{1, 2})
	if text, err := key.MarshalText(); string(text) != "{1 2}" || err != nil {
		t.Errorf("MarshalText() = %q, %v, want the text for people", text, err)
	}
	if err := key.UnmarshalText([]byte("{3 4}")); err == nil || key != keyOf(point{1, 2}) {
		t.Errorf("UnmarshalText() = %v and the key is %v, want an error and the key as it was", err, key)
	}
	number := keyOf(int8(7))
	want := `treelock: JSON node "300": a int8 has no such text`
	if err := number.UnmarshalText([]byte("300")); fmt.Sprint(err) != want || number.Value != 7 {
		t.Errorf("UnmarshalText() = %v and the key is %v, want %s and the key as it was", err, number, want)
	}
	half := keyOf(careless(7))
	if err := half.UnmarshalText([]byte("x")); err == nil || half.Value != 7 {
		t.Errorf("UnmarshalText() = %v and the key is %d, want an error and the key as it was", err, half.Value)
	}
}

// careless is a value that is changed by a text that it refuses.
type careless int

func (careless) MarshalText() ([]byte, error)  { return []byte("c"), nil }
func (c *careless) UnmarshalText([]byte) error { *c = -1; return errors.New("refused") }

func TestKeysThatNameNoNodeAreRefused(t *testing.T) {
	m := manager.StartNodes[treelock.Key[any]](t.Context())
	for _, bad := range []any{math.NaN(), []int{1}} {
		if _, err := m.TryAcquire(t.Context(), treelock.For[treelock.Key[any]]().Read(keyOf(bad))); !errors.Is(err, treelock.ErrIncomparable) {
			t.Errorf("TryAcquire(%T) = %v, want ErrIncomparable", bad, err)
		}
	}
}
