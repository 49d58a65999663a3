package page

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/internal/nodetext"
	"github.com/treelock/treelock/manager"
)

// A jsonSnapshot is a snapshot in JSON. It has the field names of [manager.Snapshot],
// so that it decodes into one.
type jsonSnapshot[N treelock.Node[N]] struct {
	manager.Snapshot[N]
	Holders   []json.RawMessage `json:"holders"`
	Waiters   []json.RawMessage `json:"waiters"`
	Suspended []jsonSuspension  `json:"suspended,omitempty"`
	Below     string            `json:"below,omitempty"`
	MaxBytes  int               `json:"max_bytes,omitempty"`
}

// A jsonSuspension is a suspension in JSON.
type jsonSuspension struct {
	Claims     []json.RawMessage `json:"claims"`
	MoreClaims int               `json:"more_claims,omitempty"`
	Reason     string            `json:"reason"`
	Since      time.Time         `json:"since"`
	Live       int               `json:"live"`
}

// suspensionsOf returns the suspensions of s. It runs user code.
func suspensionsOf[N treelock.Node[N]](s *cutSnapshot[N]) (all []jsonSuspension) {
	for _, suspended := range s.Suspended {
		shown := min(len(suspended.Claims), maxClaims)
		j := jsonSuspension{
			MoreClaims: len(suspended.Claims) - shown, Reason: nodetext.Valid(newText(suspended.Reason).kept),
			Since: suspended.Since, Live: suspended.Live,
		}
		for _, c := range suspended.Claims[:shown] {
			j.Claims = append(j.Claims, marshalClaim(c))
		}
		all = append(all, j)
	}
	return all
}

// A jsonRequest is a request in JSON.
type jsonRequest[N treelock.Node[N]] struct {
	manager.RequestInfo[N]
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

// prepareJSON gets the JSON of the claims, as far as it fits into an answer.
func prepareJSON[N treelock.Node[N]](q query[N], s *cutSnapshot[N]) (finish func() answer) {
	most, claims := prepareClaims(s, func(c treelock.Claim[N]) (json.RawMessage, int) {
		data := marshalClaim(c)
		return data, len(data)
	})
	suspended := suspensionsOf(s)
	return func() answer {
		body := fit(most, func(part *cutSnapshot[N]) ([]byte, bool) {
			whole := jsonSnapshot[N]{
				Snapshot: part.Snapshot, Suspended: suspended, Below: nodetext.Valid(q.shown.kept),
				Holders: []json.RawMessage{}, Waiters: []json.RawMessage{}, // not null
			}
			if part != s {
				whole.MaxBytes = maxAnswer
			}
			room := maxAnswer
			for live := range part.All() {
				r := jsonRequest[N]{RequestInfo: live, MoreClaims: part.moreClaims[live.Number]}
				r.Claims = []json.RawMessage{}
				for _, c := range live.Claims {
					r.Claims = append(r.Claims, claims[c])
				}
				list := &whole.Waiters
				if live.State == treelock.Holding {
					list = &whole.Holders
				}
				*list = append(*list, mustMarshal(r))
				if room -= len((*list)[len(*list)-1]); room < 0 {
					return nil, false
				}
			}
			body := jsonAnswer(http.StatusOK, whole).body
			return body, len(body) <= maxAnswer
		})
		return answer{http.StatusOK, typeJSON, bytes.Clone(body)}
	}
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
