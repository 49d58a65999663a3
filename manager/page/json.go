package page

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/nodetext"
	"github.com/treelock/treelock/manager"
)

// A jsonSnapshot is a snapshot in JSON. Its fields have the names of those of [manager.Snapshot],
// so that it decodes into one.
type jsonSnapshot[N treelock.Node[N]] struct {
	manager.Snapshot[N]
	Holders  []json.RawMessage `json:"holders"`
	Waiters  []json.RawMessage `json:"waiters"`
	Below    string            `json:"below,omitempty"`
	MaxBytes int               `json:"max_bytes,omitempty"`
}

// A jsonRequest is a request in JSON.
type jsonRequest[N treelock.Node[N]] struct {
	manager.Live[N]
	Claims     []json.RawMessage `json:"claims"`
	MoreClaims int               `json:"more_claims,omitempty"`
}

// A jsonCutClaim is a claim whose node has a name that is cut.
type jsonCutClaim struct {
	Node      string          `json:"node"`
	NodeBytes int             `json:"node_bytes"`
	Scope     treelock.Scope  `json:"scope"`
	Access    treelock.Access `json:"access"`
}

// claimsByRequest has the JSON of claims, by the number of the request.
type claimsByRequest map[uint64][]json.RawMessage

// prepareJSON gets the JSON of the nodes, as far as it fits into an answer.
func prepareJSON[N treelock.Node[N]](q query[N], s *cutSnapshot[N]) (finish func() answer) {
	var claims claimsByRequest
	most := fit(s, func(part *cutSnapshot[N]) (_ *cutSnapshot[N], fits bool) {
		claims, fits = marshalClaims(part)
		return part, fits
	})
	return func() answer {
		body := fit(most, func(part *cutSnapshot[N]) ([]byte, bool) {
			whole := jsonSnapshot[N]{Snapshot: part.Snapshot, Below: nodetext.Valid(q.shown.kept)}
			if part != s {
				whole.MaxBytes = maxAnswer
			}
			var fits bool
			room := maxAnswer
			if whole.Holders, fits = marshalRequests(part, part.Holders, claims, &room); !fits {
				return nil, false
			}
			if whole.Waiters, fits = marshalRequests(part, part.Waiters, claims, &room); !fits {
				return nil, false
			}
			body := jsonAnswer(http.StatusOK, whole).body
			return body, len(body) <= maxAnswer
		})
		return answer{http.StatusOK, typeJSON, bytes.Clone(body)}
	}
}

// marshalClaims returns the JSON of all claims of s, and whether it fits into an answer.
func marshalClaims[N treelock.Node[N]](s *cutSnapshot[N]) (claims claimsByRequest, fits bool) {
	claims = make(claimsByRequest, s.count())
	room := maxAnswer
	for live := range s.All() {
		list := make([]json.RawMessage, len(live.Claims))
		for i, c := range live.Claims {
			list[i] = marshalClaim(c)
			if room -= len(list[i]); room < 0 {
				return nil, false
			}
		}
		claims[live.Number] = list
	}
	return claims, true
}

// marshalRequests returns the JSON of each request, and whether all of it fits into room, which it
// reduces.
func marshalRequests[N treelock.Node[N]](
	s *cutSnapshot[N], requests []manager.Live[N], claims claimsByRequest, room *int,
) (list []json.RawMessage, fits bool) {
	list = []json.RawMessage{} // not null
	for _, live := range requests {
		r := mustMarshal(jsonRequest[N]{live, claims[live.Number], s.moreClaims[live.Number]})
		if *room -= len(r); *room < 0 {
			return nil, false
		}
		list = append(list, r)
	}
	return list, true
}

// maxClaimJSON bounds the JSON of a claim with a name that is not cut: JSON escapes have six bytes.
const maxClaimJSON = 6*maxFull + 200

// marshalClaim returns the JSON of a claim. It cuts the name of the node if that is very long.
func marshalClaim[N treelock.Node[N]](c treelock.Claim[N]) json.RawMessage {
	t := textOf(c.Node)
	if t.size <= maxFull {
		whole, err := json.Marshal(c)
		if err == nil && len(whole) <= maxClaimJSON {
			return whole
		}
		t.size = len(whole) // MarshalText is longer than String
	}
	return mustMarshal(jsonCutClaim{nodetext.Valid(t.kept), t.size, c.Scope, c.Access})
}

func mustMarshal(value any) json.RawMessage {
	data, err := json.Marshal(value)
	if err != nil {
		panic("BUG: treelock: " + err.Error())
	}
	return data
}
