package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/treelock/treelock"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
	"github.com/treelock/treelock/internal/nodetext"
)

// statusHook is the status by which a hook of a coding agent refuses the call of a tool.
const statusHook = 2

// A guard is treelock guard.
type guard struct {
	looker
	args          []string
	holder, hook  string
	stdin, staged bool
	asJSON        bool
}

func newGuard(flags *where.Flags) *cobra.Command {
	g := &guard{}
	cmd := &cobra.Command{
		Use:   "guard [PATH]...",
		Short: "Fail unless the caller holds what it is about to write",
		Long: `Guard fails with status 1 and one line, unless the caller holds write claims that cover each PATH. It
is for hooks that run before a commit, or before an agent writes a file. A folder must be held with
all below it, and of a file its name is enough.

The caller is all processes with the name of --holder, or of TREELOCK_NAME, or of the worktree, which
is the name of treelock mcp there. Without --holder, what treelock run holds for its command counts
as well, by TREELOCK_TOKEN.

With --hook claude standard input has the JSON of a tool hook, and the status is 2 for each failure.
A file outside the root is no concern of guard then.`,
		Example: `  treelock guard --git-staged
  git diff --cached --relative --name-only -z | treelock guard --stdin
  treelock guard --hook claude`,
		RunE: func(cmd *cobra.Command, args []string) error {
			g.args = args
			err := g.run(cmd, flags)
			if err != nil && g.hook != "" {
				// With any other status the tool would run, also if it is not known who holds the
				// file.
				return &exitError{statusHook, err}
			}
			return err
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		err = cmd.Root().FlagErrorFunc()(cmd, err)
		if isHook := func(arg string) bool { return strings.HasPrefix(arg, "--hook") }; slices.ContainsFunc(os.Args, isHook) {
			return &exitError{statusHook, err}
		}
		return err
	})
	f := cmd.Flags()
	f.StringVar(&g.holder, "holder", "", "the `name` of the process that must hold the paths")
	f.BoolVar(&g.stdin, "stdin", false, "read paths from standard input, with NUL or line breaks between")
	f.BoolVar(&g.staged, "git-staged", false, "take the files that the next git commit changes")
	f.StringVar(&g.hook, "hook", "", "read the JSON of a hook of this `agent`: claude")
	f.BoolVar(&g.asJSON, "json", false, "write JSON")
	return cmd
}

func (g *guard) run(cmd *cobra.Command, flags *where.Flags) error {
	if err := g.check(); err != nil {
		return usageError(err)
	}
	l, err := newLooker(flags)
	if err != nil {
		return err
	}
	g.looker = *l
	caller, err := g.caller()
	if err != nil {
		return usageError(err)
	}
	needed, err := g.needed(cmd)
	if err != nil {
		return usageError(err)
	}
	verdict := &verdict{OK: true, Missing: []missing{}}
	if len(needed) > 0 {
		stop, err := g.start(cmd.Context(), cmd)
		if err != nil {
			return err
		}
		defer stop()
		v, err := g.look(cmd.Context())
		if err != nil {
			return err
		}
		verdict = caller.judge(needed, v)
	}
	if g.asJSON {
		if err := writeJSON(cmd.OutOrStdout(), verdict); err != nil {
			return err
		}
	}
	return verdict.err(caller)
}

// check checks the flags.
func (g *guard) check() error {
	sources := 0
	for _, used := range []bool{len(g.args) > 0, g.stdin, g.staged, g.hook != ""} {
		if used {
			sources++
		}
	}
	switch {
	case g.hook != "" && g.hook != "claude":
		return fmt.Errorf("the hook of %q is not known, only that of claude", g.hook)
	case sources != 1:
		return errors.New("use one of PATH, --stdin, --git-staged and --hook")
	}
	return nil
}

// A caller is what guard asks about: the holders with a name, and the one with a token.
type caller struct {
	name  string
	token uint64 // 0 is none
}

// caller returns the caller of this process.
func (g *guard) caller() (c caller, err error) {
	if g.holder != "" {
		return caller{name: processName(g.holder)}, nil
	}
	c.name = agentName(g.Settings)
	if text := os.Getenv("TREELOCK_TOKEN"); text != "" {
		if c.token, err = strconv.ParseUint(text, 10, 64); err != nil {
			return c, fmt.Errorf("TREELOCK_TOKEN is %.40q, and no token", text)
		}
	}
	return c, nil
}

func (c caller) owns(r liveRequest) bool {
	return r.Process == c.name || c.token != 0 && r.Token == c.token
}

// A need is a write claim that the caller must hold for an argument.
type need struct {
	arg   string
	claim treelock.Claim[treelock.Path]
}

// A verdict is the JSON of treelock guard.
type verdict struct {
	OK      bool      `json:"ok"`
	Missing []missing `json:"missing"`
}

// A missing claim is one that the caller does not hold.
type missing struct {
	Path   string        `json:"path"`    // the argument
	Claim  claimInfo     `json:"claim"`   // that would cover it
	HeldBy []liveRequest `json:"held_by"` // other holders that conflict with it

	view *view
}

// judge compares what is needed with what is held.
func (c caller) judge(needed []need, v *view) *verdict {
	verdict := &verdict{Missing: []missing{}}
	for _, n := range needed {
		if !c.holds(n.claim, v) {
			verdict.Missing = append(verdict.Missing, missing{n.arg, infoOf(n.claim), c.others(n.claim, v), v})
		}
	}
	verdict.OK = len(verdict.Missing) == 0
	return verdict
}

// holds reports whether the caller holds a claim that covers another.
func (c caller) holds(claim treelock.Claim[treelock.Path], v *view) bool {
	for _, r := range v.Holders {
		if !c.owns(r) {
			continue
		}
		for _, held := range r.Claims {
			if held.claim().Covers(claim) {
				return true
			}
		}
	}
	return false
}

// others returns the holders that keep the caller from a claim.
func (c caller) others(claim treelock.Claim[treelock.Path], v *view) []liveRequest {
	wanted := treelock.For[treelock.Path]().With(claim)
	others := []liveRequest{}
	for _, r := range v.Holders {
		if !c.owns(r) && r.request().Conflicts(wanted) {
			others = append(others, r)
		}
	}
	return others
}

// err says on one line what is missing.
func (v *verdict) err(c caller) error {
	if v.OK {
		return nil
	}
	m := v.Missing[0]
	who := "no other request does"
	if len(m.HeldBy) > 0 {
		who = m.HeldBy[0].describe(m.view.Taken) + " does"
	}
	text := fmt.Sprintf("%s does not hold %s for writing, and %s",
		nodetext.Line(c.name, treelock.MaxLabel), nodetext.Line(m.Path, maxReason), who)
	if more := len(v.Missing) - 1; more > 0 {
		text += fmt.Sprintf("; nor %d more", more)
	}
	return &exitError{statusConflict, errors.New(text)}
}
