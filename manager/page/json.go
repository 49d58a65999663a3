package page

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/treelock/treelock"
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
	Claims     []claimJSON `json:"claims"`
	MoreClaims int         `json:"more_claims,omitempty"`
}

type claimJSON struct {
	Node      json.RawMessage `json:"node"`
	NodeBytes int             `json:"node_bytes,omitempty"` // the length of the node's text, if that is cut
	Scope     treelock.Scope  `json:"scope"`
	Access    treelock.Access `json:"access"`
}

// prepareJSON asks the nodes for their JSON.
func prepareJSON[N treelock.Node[N]](asked query[N], p *picture[N]) (render func() answer) {
	claims := make(map[uint64][]claimJSON, p.count())
	plain := isPlain(reflect.TypeFor[N]())
	for live := range p.All() {
		all := make([]claimJSON, len(live.Claims))
		for i, c := range live.Claims {
			node, cut := nodeJSON(c.Node, plain)
			all[i] = claimJSON{node, cut, c.Scope, c.Access}
		}
		claims[live.Seq] = all
	}
	return func() answer {
		body := fit(p, func(part *picture[N]) ([]byte, bool) {
			whole := pictureJSON[N]{Snapshot: part.Snapshot, Below: clip(asked.shown, longest)}
			if part != p {
				whole.MaxBytes = maxAnswer
			}
			var fits bool
			room := maxAnswer
			if whole.Holders, fits = requestsJSON(part, part.Holders, claims, &room); !fits {
				return nil, false
			}
			if whole.Waiters, fits = requestsJSON(part, part.Waiters, claims, &room); !fits {
				return nil, false
			}
			body := inJSON(http.StatusOK, whole).body
			return body, len(body) <= maxAnswer
		})
		return answer{http.StatusOK, typeJSON, bytes.Clone(body)}
	}
}

// requestsJSON returns the JSON of each request, unless together they take more than room. It takes that from room.
func requestsJSON[N treelock.Node[N]](p *picture[N], requests []manager.Live[N], claims map[uint64][]claimJSON, room *int) (all []json.RawMessage, fits bool) {
	all = []json.RawMessage{}
	for _, live := range requests {
		live.Site = clip(live.Site, longest)
		text, err := json.Marshal(liveJSON[N]{live, claims[live.Seq], p.moreClaims[live.Seq]})
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

// nodeJSON returns a node's JSON. If the node is a plain value that is its own, which decodes into the node; else it is its
// text. If the text had to be cut, its length is returned too.
func nodeJSON[N treelock.Node[N]](node N, plain bool) (text json.RawMessage, cut int) {
	name := textOf(node)
	if plain && len(name) <= longest {
		if own, err := json.Marshal(node); err == nil && len(own) <= 6*longest+2 { // each byte may be escaped
			return own, 0
		}
	}
	if len(name) > longest {
		cut = len(name)
	}
	text, err := json.Marshal(clip(name, longest))
	if err != nil {
		panic("BUG: treelock: " + err.Error())
	}
	return text, cut
}
