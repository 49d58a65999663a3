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
// The commands are, with CLAIMS such as "read /a /b write-node /c" or "nothing":
//
//	acquire NAME [within DURATION] CLAIMS   waits for the grant, or for the end of its context
//	try NAME CLAIMS
//	submit NAME [within DURATION] CLAIMS    gets a ticket, and receives the grant from it
//	deaf NAME CLAIMS                        gets a ticket, and receives nothing until
//	receive NAME
//	cancel NAME                             ends the context of acquire or drain
//	withdraw NAME                           withdraws a ticket
//	release NAME                            also once more, or what is not held
//	narrow NAME CLAIMS
//	token NAME                              says the fencing token
//	crowd NUMBER                            so many others ask for nothing, all at once, and release it
//	drain NAME [within DURATION]
//	pass DURATION                           time goes by
//	stop REASON                             ends the context of the lock
//	manager [OPTION=NUMBER...]              another lock, with max-waiting, first-token, max-depth or idle-nodes
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
