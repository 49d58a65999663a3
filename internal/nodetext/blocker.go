package nodetext

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Claim describes a claim of a node, which has that text: `write /a`. It quotes a text that could
// be taken for what stands behind a node in a list of claims, or in the text of an error.
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

// Blocker describes a request that blocks another one: `"rename 17" (#42, write /a, holding for
// 1.5s)`, or without a label `#42 (write /a, holding for 1.5s)`. claim and state are texts already.
// Of the label at most limit bytes are shown.
func Blocker(number uint64, label string, limit int, claim, state string, age time.Duration) string {
	what := fmt.Sprintf("%s, %s for %v)", claim, state, Roughly(age))
	if label == "" {
		return fmt.Sprintf("#%d (%s", number, what)
	}
	return fmt.Sprintf("%s (#%d, %s", Quote(label, limit), number, what)
}

// Roughly returns d with three digits or so.
func Roughly(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for unit < time.Second && d >= 1000*unit {
		unit *= 10
	}
	return d.Round(unit)
}
