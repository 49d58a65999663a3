package treelock

import (
	"log/slog"
	"strconv"
	"strings"
)

// mostClaims is how many claims of a request a text names.
const mostClaims = 8

// String names the claims for a log line: "read /src, write /dst", or "nothing" without claims. Of
// many claims it names the first 8 and counts the others: "and 299,992 more". The text is one line
// of bounded length: what does not print in a node is escaped, of a long node only the ends are
// shown, and a node that reads like another claim is quoted. See [Node] for how a node is named.
func (r Request[N]) String() string {
	first, more := r.first(mostClaims)
	return claimsText(first, more)
}

// first returns the first n claims, or all if there are not so many, and how many more there are.
func (r Request[N]) first(n int) (claims []Claim[N], more int) {
	n = min(n, r.Len())
	claims = make([]Claim[N], n)
	for i := range claims {
		claims[i] = r.Claim(i)
	}
	return claims, r.Len() - n
}

// LogValue returns a group of the claims, as String names them, and the label, if there is one.
func (r Request[N]) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("claims", r.String())}
	if label := r.Label(); label != "" {
		attrs = append(attrs, slog.String("label", label))
	}
	return slog.GroupValue(attrs...)
}

// claimsText names claims, and counts those that are not among them.
func claimsText[N Node[N]](claims []Claim[N], more int) string {
	if len(claims) == 0 {
		return "nothing"
	}
	named := claims[:min(mostClaims, len(claims))]
	more += len(claims) - len(named)
	var b strings.Builder
	for i, claim := range named {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(claim.String())
	}
	if more > 0 {
		b.WriteString(" and " + thousands(more) + " more")
	}
	return b.String()
}

// thousands writes n, which is not negative, with its thousands apart.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
