package locktest

import (
	"testing"
	"testing/synctest"
)

// Scenario plays a scenario file and returns it with what happened in place of what was to happen: who compares the
// two has a test. Whatever the file expects, the lock is held to the rule after each line, as in [Play].
//
// A file is a list of commands, a line each, with their consequences; other text is comment:
//
//	# A writer waits until the reader has released.
//
//	acquire reader read /a
//	----
//	reader: granted
//
//	acquire writer write /a/b
//	----
//	writer: waits for reader
//
//	release reader
//	----
//	writer: granted
//
// Commands that are joined by " & " are carried out at the same time; their consequences may depend on chance.
// The commands are submit, deaf, receive, acquire, try, cancel, withdraw, release, narrow, token, drain, pass,
// stop and manager; verbs.go says what they do.
func Scenario(t *testing.T, start Start, text []byte) (got []byte) {
	t.Helper()
	file := parseScenario(text)
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, start: start}
		if err := s.open(Options{}); err != nil {
			t.Fatal(err)
		}
		for i := range file {
			if step := &file[i]; step.command != "" {
				step.want = s.play(step.command)
			}
		}
		s.strike()
	})
	return file.format()
}
