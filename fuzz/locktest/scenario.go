package locktest

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
)

// Scenario plays a scenario file and returns it with what happened in place of what was to happen.
// A test compares the two. Whatever the file expects, the lock is held to the rule after each line,
// as in [Play].
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
// Commands that are joined by " & " are carried out at the same time; their consequences may depend
// on chance. The commands are, with CLAIMS such as "read /a /b write-node /c" or "nothing":
//
//	acquire NAME [within DURATION] CLAIMS   waits for the grant, or for the end of its context
//	try NAME CLAIMS
//	submit NAME [within DURATION] CLAIMS    gets a ticket, and receives the grant from it
//	no-receive NAME CLAIMS                  gets a ticket, and does not receive from it until
//	receive NAME
//	do NAME [within DURATION] CLAIMS        calls Do, whose function ends with the release
//	do-panic, do-exit NAME CLAIMS           its function panics, or ends its goroutine
//	check NAME CLAIMS                       would it be granted?
//	widen NAME of OWNER CLAIMS              widens the grant of OWNER
//	try-widen NAME of OWNER CLAIMS
//	holds NAME CLAIMS                       does its grant hold that?
//	wait NAME [within DURATION]             receives by Wait, after no-receive
//	cancel NAME                             ends the context of acquire, do, drain or suspend
//	withdraw NAME                           withdraws a ticket
//	release NAME                            also once more, or what is not held
//	narrow NAME CLAIMS
//	acquire-func NAME CLAIMS then CLAIMS    computes the claims, and other ones once more
//	old NAME                                from now on its client uses the copy that it got first
//	revoke NAME [because REASON]            ends a request from outside
//	err, lost, wanted NAME                  prints what its grant tells the holder
//	token NAME                              prints the fencing token
//	burst NUMBER                            so many calls make the empty request, and release it
//	drain NAME [within DURATION]
//	shutdown NAME [within DURATION]
//	suspend NAME [within DURATION] NODES    with its name as the reason
//	resume NAME                             after suspend
//	pass DURATION                           time goes by
//	stop REASON                             ends the context of the lock
//	manager [OPTION=NUMBER...]              another lock; see Options for the names
//
// After the name of a client, and before "within", these words say how a call depends on the grants
// of other clients, which hold:
//
//	inside OWNER    the request is inside the grant of OWNER; not for tickets
//	under OWNER     the context carries that grant; may be given more than once
//	helping OWNER   under OWNER, and the request is made with [treelock.Inside]
//	queue NUMBER    not if more wait at one of its nodes, this one included; see [treelock.Request]
func Scenario(t *testing.T, start Start[path], text []byte) (got []byte) {
	t.Helper()
	file := parseScenario(text)
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, start, pathTree)
		if err := h.open(Options{}); err != nil {
			t.Fatal(err)
		}
		for i := range file {
			if step := &file[i]; step.command != "" {
				step.want = h.play(step.command)
			}
		}
		h.teardown()
	})
	return file.format()
}

// A scenarioFile is a list of commands with their consequences: see [Scenario]. A blank line or the
// end of the file ends the consequences.
type scenarioFile []scenarioStep

// A scenarioStep is prose, one command and its consequences. The last step of a file may be prose
// alone.
type scenarioStep struct {
	prose   string // with all its line ends, blank lines included
	command string
	want    string // a line each, with its line end
}

const ruler = "----"

// parseScenario never fails. The harness refuses a command that it does not know.
func parseScenario(text []byte) (file scenarioFile) {
	var step scenarioStep
	inWant := false
	for line := range strings.Lines(string(text)) {
		bare := strings.TrimSuffix(line, "\n")
		switch {
		case bare == ruler && step.command != "":
			inWant = true
			continue
		case inWant && bare != "":
			step.want += bare + "\n"
			continue
		}
		if step.command != "" {
			file = append(file, step)
			step, inWant = scenarioStep{}, false
		}
		if bare == "" || strings.HasPrefix(bare, "#") {
			step.prose += line
		} else {
			step.command = bare
		}
	}
	return append(file, step)
}

// format is the inverse of parseScenario.
func (file scenarioFile) format() []byte {
	var b bytes.Buffer
	for _, step := range file {
		b.WriteString(step.prose)
		if step.command != "" {
			b.WriteString(step.command + "\n" + ruler + "\n" + step.want)
		}
	}
	return b.Bytes()
}
