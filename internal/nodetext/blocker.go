package nodetext

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Claim describes a claim of the node with that text, as in `write /a`. It quotes a text with a
// separator that lists of claims and error texts use: such a node could read like two claims. For
// example, write "/a, read /b" is one claim, and write /a, read /b are two.
func Claim(verb, node string) string {
	if !strings.HasPrefix(node, `"`) {
		for _, mark := range [...]string{", ", "; ", ": ", ") ", " and ", " is blocked by "} {
			if strings.Contains(node, mark) {
				return verb + " " + strconv.Quote(node)
			}
		}
	}
	return verb + " " + node
}

// Blocker describes a request that blocks another one, with or without a label:
//
//	"rename 17" (#42, write /a, holding for 1.5s)
//	#42 (write /a, holding for 1.5s)
//
// claim and state are inserted as they are. Of the label at most limit bytes are shown. A negative
// age is not shown.
func Blocker(
	number uint64, label, process string, limit int, claim, state string, age time.Duration,
) string {
	on := ""
	if process != "" {
		on = " on " + Escaped(process, limit)
	}
	what := claim + ", " + state
	if age >= 0 {
		what += fmt.Sprintf(" for %v", Roughly(age))
	}
	what += ")"
	if label == "" {
		return fmt.Sprintf("#%d%s (%s", number, on, what)
	}
	return fmt.Sprintf("%s%s (#%d, %s", Quote(label, limit), on, number, what)
}

// Roughly rounds d to three digits, and to seconds from 1,000 seconds on.
func Roughly(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for unit < time.Second && d >= 1000*unit {
		unit *= 10
	}
	return d.Round(unit)
}
