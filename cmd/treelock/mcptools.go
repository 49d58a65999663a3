package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/cmd/treelock/internal/paths"
)

// tools are those of treelock mcp.
type tools struct {
	*looker
	held *reservations
}

// maxListed is how many holders, and how many waiters, the tool list shows.
const maxListed = 100

func (t *tools) addTo(server *mcp.Server) {
	addTool(t, server, &mcp.Tool{
		Name: "reserve",
		Description: `Reserve files and folders before you change or depend on them. A folder is reserved with all below
it. All paths are granted at once, or none. The result has a token, or says who holds the paths.`,
	}, t.reserve)
	addTool(t, server, &mcp.Tool{
		Name:        "check",
		Description: "Say whether paths could be reserved now, and who holds them if not. It takes nothing.",
		Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true},
	}, t.check)
	addTool(t, server, &mcp.Tool{
		Name:        "release",
		Description: "Release a reservation by its token.",
	}, t.release)
	addTool(t, server, &mcp.Tool{
		Name:        "list",
		Description: "List what is reserved by all agents and jobs, and what waits. Yours have own: true.",
		Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true},
	}, t.list)
}

// An output is the result of a tool, which has room for notices.
type output interface{ notify(notices []string) }

// told is the part of a result that tells of reservations that ended.
type told struct {
	Notices []string `json:"notices,omitempty"`
}

func (t *told) notify(notices []string) { t.Notices = notices }

// addTool adds a tool. Its answer has the notices, also if it fails.
func addTool[In any](t *tools, server *mcp.Server, tool *mcp.Tool, f func(context.Context, In) (output, error)) {
	mcp.AddTool(server, tool, func(ctx context.Context, _ *mcp.CallToolRequest, in In) (*mcp.CallToolResult, any, error) {
		out, err := f(ctx, in)
		notices := t.held.notices(tool.Name)
		if err != nil {
			text := strings.TrimPrefix(err.Error(), "treelock: ")
			return nil, nil, errors.New(strings.Join(append(notices, text), "; "))
		}
		out.notify(notices)
		return nil, out, nil
	})
}

type pathsIn struct {
	Write []string `json:"write,omitempty" jsonschema:"files and folders that you will change"`
	Read  []string `json:"read,omitempty" jsonschema:"files and folders that must not change meanwhile"`
}

// request returns what a client asks for. Relative names begin at the root, as the client does not
// know the working directory of this process.
func (t *tools) request(in pathsIn) (req treelock.Request[treelock.Path], err error) {
	if n := len(in.Read) + len(in.Write); n == 0 || n > maxPaths {
		return req, fmt.Errorf("there are %d paths in read and write, and 1 to %d are allowed", n, maxPaths)
	}
	args := paths.Args{Read: t.names(in.Read), Write: t.names(in.Write)}
	req, _, err = t.parser().Request(args)
	return req, err
}

func (t *tools) names(names []string) []string {
	absolute := make([]string, len(names))
	for i, name := range names {
		// An empty name stays one, which is refused: it is not the root.
		if absolute[i] = name; !t.Raw && name != "" && !filepath.IsAbs(name) {
			absolute[i] = filepath.Join(t.Root, name)
		}
	}
	return absolute
}

type reserveIn struct {
	pathsIn
	Reason string  `json:"reason" jsonschema:"what for, in a few words; others see it"`
	Wait   float64 `json:"wait_seconds,omitempty" jsonschema:"how long to wait if they are not free, 0 to 600"`
	TTL    float64 `json:"ttl_seconds,omitempty" jsonschema:"release by itself after this time, up to a week; 0 is never"`
}

// reserved is the result of the tool reserve.
type reserved struct {
	Reserved  bool          `json:"reserved"`
	Token     uint64        `json:"token,omitempty"`
	Claims    []claimInfo   `json:"claims"`
	Expires   time.Time     `json:"expires,omitzero"`
	BlockedBy []liveRequest `json:"blocked_by,omitempty"`
	More      int           `json:"more,omitempty"`
	Message   string        `json:"message"`
	told
}

func (t *tools) reserve(ctx context.Context, in reserveIn) (output, error) {
	wait, err := secondsOf("wait_seconds", in.Wait, maxWait)
	if err != nil {
		return nil, err
	}
	ttl, err := secondsOf("ttl_seconds", in.TTL, maxTimeToLive)
	if err != nil {
		return nil, err
	}
	req, err := t.request(in.pathsIn)
	if err != nil {
		return nil, err
	}
	held, err := t.held.reserve(ctx, req.Labeled(in.Reason), wait, ttl)
	var blocked *treelock.BlockedError[treelock.Path]
	switch {
	case err == nil:
		return &reserved{
			Reserved: true, Token: held.grant.Token(), Claims: infosOf(held.request), Expires: held.expires,
			Message: fmt.Sprintf("reserved: %v", held.request),
		}, nil
	case !errors.As(err, &blocked):
		return nil, err
	}
	v, err := t.look(ctx)
	if err != nil {
		return nil, err
	}
	a := answerOf(blocked, req, v, t.Name)
	return &reserved{
		Claims: a.Claims, BlockedBy: a.BlockedBy, More: a.More,
		Message: "not reserved, and nothing is held: " + strings.ReplaceAll(a.text(), "\n", "; "),
	}, nil
}

// secondsOf returns a number of seconds from 0 to most.
func secondsOf(name string, n float64, most time.Duration) (time.Duration, error) {
	if !(n >= 0 && n <= most.Seconds()) {
		return 0, fmt.Errorf("%s is %v, and 0 to %v are allowed", name, n, most.Seconds())
	}
	return time.Duration(n * float64(time.Second)), nil
}

// checked is the result of the tool check.
type checked struct {
	answer
	Message string `json:"message"`
	told
}

func (t *tools) check(ctx context.Context, in pathsIn) (output, error) {
	req, err := t.request(in)
	if err != nil {
		return nil, err
	}
	if token := t.held.covering(req); token != 0 {
		a := answer{Free: true, Claims: infosOf(req), BlockedBy: []liveRequest{}}
		return &checked{answer: a, Message: fmt.Sprintf("you hold it: reservation %d", token)}, nil
	}
	a, err := t.looker.check(ctx, req)
	if err != nil {
		return nil, err
	}
	return &checked{answer: *a, Message: strings.ReplaceAll(a.text(), "\n", "; ")}, nil
}

// covering returns the token of a reservation that covers req, 0 if none does.
func (r *reservations) covering(req treelock.Request[treelock.Path]) (token uint64) {
	r.do(func(l *ledger) {
		for _, held := range l.held {
			if held.grant.Err() == nil && covers(held.request, req) {
				token = held.grant.Token()
			}
		}
	})
	return token
}

type releaseIn struct {
	Token uint64 `json:"token" jsonschema:"of the reservation"`
}

// released is the result of the tool release.
type released struct {
	Released bool   `json:"released"`
	Token    uint64 `json:"token"`
	told
}

func (t *tools) release(_ context.Context, in releaseIn) (output, error) {
	if err := t.held.release(in.Token); err != nil {
		return nil, err
	}
	return &released{Released: true, Token: in.Token}, nil
}

type listIn struct {
	Path string `json:"path,omitempty" jsonschema:"only what concerns this file or folder"`
}

// listed is the result of the tool list.
type listed struct {
	view
	LeftOut int `json:"left_out,omitempty"`
	told
}

func (t *tools) list(ctx context.Context, in listIn) (output, error) {
	path := treelock.Path("/")
	if in.Path != "" {
		var err error
		if path, err = t.parser().Path(t.names([]string{in.Path})[0]); err != nil {
			return nil, err
		}
	}
	v, err := t.look(ctx)
	if err != nil {
		return nil, err
	}
	v = v.within(path)
	out := &listed{view: *v}
	for _, list := range []*[]liveRequest{&out.Holders, &out.Waiters} {
		if n := len(*list); n > maxListed {
			*list = (*list)[:maxListed]
			out.LeftOut += n - maxListed
		}
	}
	return out, nil
}
