package fuzz_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/treelock/treelock/fuzz/locktest"
)

// hostileSeeds returns histories that reach, together, all that a hostile history can have.
func hostileSeeds() (seeds [][]byte) {
	for i := range uint64(60) {
		rng := rand.New(rand.NewPCG(i, 9))
		seed := make([]byte, 800)
		for j := range seed {
			seed[j] = byte(rng.Uint32())
		}
		seeds = append(seeds, seed)
	}
	return append(seeds, seedsByHand()...)
}

// seedsByHand returns histories that random bytes rarely are. In the first a node moves from one
// home to the other while it is claimed, and the holder of the other home tries to narrow its grant
// to it. In the second a draining manager waits for one ticket only, which is then withdrawn. In
// the third a context ends and denies it.
func seedsByHand() [][]byte {
	const (
		next, narrow, move, drain = 0, 16, 27, 30 // verbs of package history
		d, e, submit, noReceive   = 3, 4, 4 << 4, 7 << 4

		writeTame, writeHome, writeMover, readMover, none = 0, 4, 48, 49, 129
		plus1, plain, liar                                = 32, 0, 20
	)
	return [][]byte{{
		31,                                                               // no limits
		next, d | submit, writeHome, writeHome, none, 0, plus1, 0, plain, // writes both homes
		next, e | submit, readMover, none, none, 0, 0, 0, plain, // waits
		move, 0, 0, 0, 0, 0, 0, 0, 0,
		next, d, 0, 0, 0, 0, 0, 0, 0, // a release
		next, d | submit, writeHome, none, none, plus1, 0, 0, plain,
		narrow, d, none, writeMover, none, 0, 0, 0, 0, // but e reads the second
		next, d, 0, 0, 0, 0, 0, 0, 0,
	}, {
		31,
		next, d | noReceive, writeTame, none, none, 0, 0, 0, plain,
		drain, 0, 0, 0, 0, 0, 0, 0, 0,
		next, d, 0, 0, 0, 0, 0, 0, 0, // a withdrawal
	}, {
		31,
		next, d | submit, writeTame, none, none, 0, 0, 0, plain,
		next, e, writeTame, none, none, 0, 0, 0, liar, // an Acquire, which waits
		next, e, 0, 0, 0, 0, 0, 0, 0, // the end of its context
	}}
}

// hostile has a pattern for everything that the seeds of FuzzNodes have to reach, besides all kinds
// of nodes and contexts.
var hostile = []string{
	`^(acquire|do) \w+ (read|write)`, `^(acquire|do) \w+ under`, `^try \w+ (read|write)`, `^try \w+ under`, `^submit \w+ (read|write)`,
	`^submit \w+ under`, `^no-receive \w+ (read|write)`, `^no-receive \w+ under`, `^do-panic \w+ (read|write)`, `^do-panic \w+ under`,
	`^do-exit \w+ (read|write)`, `^do-exit \w+ under`, `^stop`, `^drain`, `^open`, `^move`, `^pass`, `^receive`, `^token`,
	`^release`, `^withdraw`, `^cancel`, `^narrow [abc]`, `^narrow [def]`, `^manager .*max-depth=6`, `^manager .*max-depth=9`,
	`^manager .*max-waiting=0`, ` & .* & `,
	`^[def]\d+-\d+: does not hold that`, `^narrow ([def])\d+ .*\n----\n\n`,
	`: granted$`, `: waits$`, `: waits for`, `: stopped$`, `: drained$`, `: refused, too deep$`, `: refused, incomparable$`,
	`: refused, would have to wait`, `: refused, too many wait`, `: refused, draining$`, `: withdrawn$`, `: does not hold that$`,
	`: canceled$`, `: timed out`, `: done$`, `: panics with mine$`, `: panics with nil$`, `: exits$`, `its Err is nil`,
	`write home\+1 nothing write mover\+0\n----\n\w+-\d+: does not hold that\n`, // the first by hand
}

// TestSeedsReachEveryHostility keeps the seeds worth their time.
func TestSeedsReachEveryHostility(t *testing.T) {
	var all strings.Builder
	for _, seed := range hostileSeeds() {
		all.WriteString(locktest.PlayHostile(t, locktest.Manager, seed))
	}
	patterns := hostile
	for _, name := range locktest.NodeKinds() {
		patterns = append(patterns, ` `+name+`\+[01]`)
	}
	for _, name := range locktest.CtxKinds() {
		patterns = append(patterns, ` under `+name+` `)
	}
	checkReached(t, patterns, all.String())
}

// checkReached checks that histories match all of some patterns.
func checkReached(t *testing.T, patterns []string, histories string) {
	t.Helper()
	for _, pattern := range patterns {
		if !regexp.MustCompile(`(?m)` + pattern).MatchString(histories) {
			t.Errorf("no history has %q", pattern)
		}
	}
}
