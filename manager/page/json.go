package page

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/nodetext"
	"github.com/treelock/treelock/manager"
)

// A pictureJSON is a snapshot in JSON. It decodes into a [manager.Snapshot], as its fields have the names that they have
// there; the others say what is left out.
type pictureJSON[N treelock.Node[N]] struct {
	manager.Snapshot[N]
	Holders  []json.RawMessage `json:"holders"`
	Waiters  []json.RawMessage `json:"waiters"`
	Below    string            `json:"below,omitempty"`     // the node of the filter
	MaxBytes int               `json:"max_bytes,omitempty"` // the bound of the answer, if requests are left out because of it
}

// A liveJSON is a request in JSON.
type liveJSON[N treelock.Node[N]] struct {
	manager.Live[N]
	Claims     []json.RawMessage `json:"claims"`
	MoreClaims int               `json:"more_claims,omitempty"`
}

// A cutClaimJSON is a claim of which the name of the node is cut.
type cutClaimJSON struct {
	Node      string          `json:"node"`
	NodeBytes int             `json:"node_bytes"` // the length of the node's text
	Scope     treelock.Scope  `json:"scope"`
	Access    treelock.Access `json:"access"`
}

// prepareJSON asks the nodes for their JSON, but for no more than an answer has room for.
func prepareJSON[N treelock.Node[N]](asked query[N], p *picture[N]) (render func() answer) {
	type prepared struct {
		part   *picture[N]
		claims map[uint64][]json.RawMessage
	}
	most := fit(p, func(part *picture[N]) (prepared, bool) {
		claims, fits := claimsJSON(part)
		return prepared{part, claims}, fits
	})
	return func() answer {
		body := fit(most.part, func(part *picture[N]) ([]byte, bool) {
			whole := pictureJSON[N]{Snapshot: part.Snapshot, Below: nodetext.Valid(asked.shown.kept)}
			if part != p {
				whole.MaxBytes = maxAnswer
			}
			var fits bool
			room := maxAnswer
			if whole.Holders, fits = requestsJSON(part, part.Holders, most.claims, &room); !fits {
				return nil, false
			}
			if whole.Waiters, fits = requestsJSON(part, part.Waiters, most.claims, &room); !fits {
				return nil, false
			}
			body := inJSON(http.StatusOK, whole).body
			return body, len(body) <= maxAnswer
		})
		return answer{http.StatusOK, typeJSON, bytes.Clone(body)}
	}
}

// claimsJSON returns the JSON of all claims by request, unless it takes more than an answer.
func claimsJSON[N treelock.Node[N]](p *picture[N]) (claims map[uint64][]json.RawMessage, fits bool) {
	claims = make(map[uint64][]json.RawMessage, p.count())
	room := maxAnswer
	for live := range p.All() {
		all := make([]json.RawMessage, len(live.Claims))
		for i, c := range live.Claims {
			all[i] = claimJSON(c)
			if room -= len(all[i]); room < 0 {
				return nil, false
			}
		}
		claims[live.Number] = all
	}
	return claims, true
}

// requestsJSON returns the JSON of each request, unless together they take more than room. It takes that from room.
func requestsJSON[N treelock.Node[N]](p *picture[N], requests []manager.Live[N], claims map[uint64][]json.RawMessage, room *int) (all []json.RawMessage, fits bool) {
	all = []json.RawMessage{}
	for _, live := range requests {
		live.Site = newText(live.Site).kept
		text, err := json.Marshal(liveJSON[N]{live, claims[live.Number], p.moreClaims[live.Number]})
		if err != nil {
			panic("BUG: treelock: " + err.Error())
		}
		if *room -= len(text); *room < 0 {
			return nil, false
		}
		all = append(all, text)
	}
	return all, true
}

// maxClaim is how long the JSON of a claim can be if the name of its node is not cut: a byte of that
// takes six at most.
const maxClaim = 6*longest + 200

// claimJSON returns a claim's JSON, with the name of its node cut if that is very long.
func claimJSON[N treelock.Node[N]](c treelock.Claim[N]) json.RawMessage {
	t := textOf(c.Node)
	if t.size <= longest {
		whole, err := json.Marshal(c)
		if err == nil && len(whole) <= maxClaim {
			return whole
		}
		t.size = len(whole) // MarshalText says more than String
	}
	cut, err := json.Marshal(cutClaimJSON{nodetext.Valid(t.kept), t.size, c.Scope, c.Access})
	if err != nil {
		panic("BUG: treelock: " + err.Error())
	}
	return cut
}
