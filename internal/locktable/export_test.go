package locktable

import (
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/terms"
)

// ClaimsOf returns the claims of req.
func ClaimsOf[N treelock.Node[N]](req treelock.Request[N]) (claims []Claim[N]) {
	for mode, lineage := range terms.Claims(req) {
		claims = append(claims, Claim[N]{Mode: mode, Lineage: lineage})
	}
	return claims
}

// SubmitAs is Submit of a request whose Who is who.
func (t *Table[N, W]) SubmitAs(who W, claims []Claim[N]) *Request[N, W] {
	r := t.Submit(claims)
	r.Who = who
	return r
}

// WidenAs is Widen by a request whose Who is who.
func (t *Table[N, W]) WidenAs(r *Request[N, W], who W, claims []Claim[N]) (w *Request[N, W], changed bool) {
	w, changed = t.Widen(r, claims)
	if w != nil {
		w.Who = who
	}
	return w, changed
}
