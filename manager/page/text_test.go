package page

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 ms", 0: "0 ms", 999 * time.Microsecond: "0 ms", 340 * time.Millisecond: "340 ms", 999999 * time.Microsecond: "999 ms",
		time.Second: "1.0 s", 9990 * time.Millisecond: "9.9 s", 10 * time.Second: "10 s", 59999 * time.Millisecond: "59 s",
		time.Minute: "1 min 00 s", 252 * time.Second: "4 min 12 s", time.Hour - 1: "59 min 59 s",
		time.Hour: "1 h 00 min", 25 * time.Hour: "1 d 1 h", 1000 * time.Hour: "41 d 16 h",
	} {
		if got := ago(d); got != want {
			t.Errorf("ago(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 123456: "123,456", 1<<64 - 1: "18,446,744,073,709,551,615"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestClipKeepsBothEndsAndWholeCharacters(t *testing.T) {
	for _, s := range []string{"", "short", strings.Repeat("x", 160), strings.Repeat("x", 161), strings.Repeat("ü", 500), strings.Repeat("→", 500), "a" + strings.Repeat("🙂", 500), strings.Repeat("\x80", 500)} {
		got := clip(s, len(s), shortest)
		if len(s) <= shortest && got != s || len(got) > shortest+40 {
			t.Errorf("clip(%d bytes) = %q", len(s), got)
		}
		if utf8.ValidString(s) != utf8.ValidString(got) {
			t.Errorf("clip(%q...) = %q cuts a character", s[:20], got)
		}
	}
	if got, want := clip("/beginning/of/a/long/path", 25, 10), "/begi … (25 bytes) … /path"; got != want {
		t.Errorf("clip = %q, want %q", got, want)
	}
}
