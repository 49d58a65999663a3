package locktest

import (
	"bytes"
	"strings"
)

// A scenarioFile is a story of commands, each with what it led to:
//
//	# Prose says why.
//
//	command arguments
//	----
//	consequence
//	consequence
//
// A blank line or the end of the file ends the consequences.
type scenarioFile []scenarioStep

// A scenarioStep is prose, one command and its consequences. The last step of a file may be prose alone.
type scenarioStep struct {
	prose   string // with all its line ends, blank lines included
	command string
	want    string // a line each, with its line end
}

const ruler = "----"

// parseScenario never fails: what it takes for commands is for the runner to judge.
func parseScenario(text []byte) (file scenarioFile) {
	var step scenarioStep
	inWant := false
	for line := range strings.Lines(string(text)) {
		bare := strings.TrimSuffix(line, "\n")
		switch {
		case bare == ruler && step.command != "":
			inWant = true
		case inWant && bare != "":
			step.want += bare + "\n"
		case bare == "" || strings.HasPrefix(bare, "#"):
			if step.command != "" {
				file = append(file, step)
				step, inWant = scenarioStep{}, false
			}
			step.prose += line
		default:
			if step.command != "" {
				file = append(file, step)
				step, inWant = scenarioStep{}, false
			}
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
