package waitqueue_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/waitqueue"
)

const (
	IR = waitqueue.IR
	IW = waitqueue.IW
	NR = waitqueue.NR
	NW = waitqueue.NW
	TR = waitqueue.TR
	TW = waitqueue.TW
)

// simple holds the modes of claims and intentions, allModes their combinations as well.
var (
	simple   = []waitqueue.Mode{IR, IW, NR, NW, TR, TW}
	allModes = append(slices.Clip(simple), waitqueue.IWNR, waitqueue.IWTR, waitqueue.NWTR)
)

// matrix is the compatibility matrix as drawn in the doc comment of Mode.
const matrix = `
               later   IR  IW  NR  NW  TR  TW
earlier
IR  reads below         –   –   –   –   –   x
IW  writes below        –   –   –   –   x   x
NR  reads the node      –   –   –   x   –   x
NW  writes the node     –   –   x   x   x   x
TR  reads the subtree   –   x   –   x   –   x
TW  writes the subtree  x   x   x   x   x   x
`

func TestConflictsAreThoseOfTheDrawnMatrix(t *testing.T) {
	rows := strings.Split(strings.TrimSpace(matrix), "\n")[2:]
	if len(rows) != len(simple) {
		t.Fatalf("the matrix has %d rows, want %d", len(rows), len(simple))
	}
	for i, held := range simple {
		cells := strings.Fields(rows[i])
		marks := cells[len(cells)-len(simple):]
		if cells[0] != held.String() {
			t.Fatalf("row %d of the matrix is for %s, want %v", i, cells[0], held)
		}
		for j, asked := range simple {
			if got, want := held.Conflicts(asked), marks[j] == "x"; got != want {
				t.Errorf("%v.Conflicts(%v) = %t, want %t", held, asked, got, want)
			}
		}
	}
}

func TestMatrixIsDrawnAlikeInTheDocComment(t *testing.T) {
	source, err := os.ReadFile("mode.go")
	if err != nil {
		t.Fatal(err)
	}
	var commented strings.Builder
	for line := range strings.Lines(matrix[1:]) {
		commented.WriteString("//\t" + line)
	}
	if !strings.Contains(string(source), commented.String()) {
		t.Errorf("mode.go does not contain the drawing of this test:\n%s", commented.String())
	}
}

// regionNodes are the nodes of two trees with every relation between two nodes: equal, above, below
// (by one and by two), beside, in different branches, in different trees.
var regionNodes = []treelock.Path{"/", "/a", "/a/x", "/a/x/1", "/a/y", "/b", "/b/z", "other/root", "other"}

// kinds are the four kinds of claim, each with its mode at its node.
var kinds = map[waitqueue.Mode]struct {
	scope  treelock.Scope
	access treelock.Access
}{
	NR: {treelock.NodeOnly, treelock.Shared},
	NW: {treelock.NodeOnly, treelock.Exclusive},
	TR: {treelock.Subtree, treelock.Shared},
	TW: {treelock.Subtree, treelock.Exclusive},
}

// TestModesDecideWhatRegionsMean checks modes against the contract: two claims conflict if their
// regions share a node and at least one writes. For all pairs of claims it asks whether their modes
// conflict at some node in both lineages.
func TestModesDecideWhatRegionsMean(t *testing.T) {
	type claim = treelock.Claim[treelock.Path]
	modes := map[claim]map[treelock.Path]waitqueue.Mode{}
	for _, node := range regionNodes {
		for mode, kind := range kinds {
			c := claim{Node: node, Scope: kind.scope, Access: kind.access}
			modes[c] = modesOf(node, mode)
		}
	}
	for c := range modes {
		for d := range modes {
			want := shareNode(region(c), region(d)) && (c.Access == treelock.Exclusive || d.Access == treelock.Exclusive)
			got := false
			for node, mode := range modes[c] {
				other, both := modes[d][node]
				got = got || both && mode.Conflicts(other)
			}
			if got != want {
				t.Errorf("%v and %v conflict by their modes: %t, by their regions: %t", c, d, got, want)
			}
		}
	}
}

// modesOf returns the mode of a claim at each node of its lineage.
func modesOf(node treelock.Path, mode waitqueue.Mode) map[treelock.Path]waitqueue.Mode {
	modes := map[treelock.Path]waitqueue.Mode{}
	for ok := true; ok; node, ok = node.Parent() {
		modes[node] = mode
		mode = mode.Intention()
	}
	return modes
}

// region returns the nodes in the region of a claim.
func region(c treelock.Claim[treelock.Path]) (nodes []treelock.Path) {
	for _, node := range regionNodes {
		for at, ok := node, true; ok; at, ok = at.Parent() {
			if at == c.Node && (node == c.Node || c.Scope == treelock.Subtree) {
				nodes = append(nodes, node)
			}
		}
	}
	return nodes
}

func shareNode(a, b []treelock.Path) bool {
	return slices.ContainsFunc(a, func(node treelock.Path) bool { return slices.Contains(b, node) })
}

func TestWritersIntendToWriteAndReadersToRead(t *testing.T) {
	want := map[waitqueue.Mode]waitqueue.Mode{
		IR: IR, NR: IR, TR: IR, IW: IW, NW: IW, TW: IW, waitqueue.IWNR: IW, waitqueue.IWTR: IW, waitqueue.NWTR: IW,
	}
	for _, m := range allModes {
		if got := m.Intention(); got != want[m] {
			t.Errorf("%v.Intention() = %v, want %v", m, got, want[m])
		}
	}
}

func TestModesAreNamedByTheLettersOfTheirParts(t *testing.T) {
	want := []string{"IR", "IW", "NR", "NW", "TR", "TW", "IW+NR", "IW+TR", "NW+TR", "??", "??"}
	var got []string
	for m := range waitqueue.Mode(10) {
		got = append(got, m.String())
	}
	got = append(got, waitqueue.Mode(255).String())
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("String() of all modes, -want +got:\n%s", diff)
	}
}

// conflictsOf returns the simple modes that conflict with some simple mode of s.
func conflictsOf(s waitqueue.Modes) (conflicts waitqueue.Modes) {
	for _, m := range simple {
		for _, asked := range simple {
			if s.Has(m) && m.Conflicts(asked) {
				conflicts = conflicts.With(asked)
			}
		}
	}
	return conflicts
}

// Nine modes are enough: for each set of simple modes, one conflicts with exactly the same modes.
func TestCombinedModeConflictsWithWhatItsPartsConflictWith(t *testing.T) {
	for s := waitqueue.Modes(1); s < 64; s++ {
		got := s.Combined()
		for _, asked := range allModes {
			if want := conflictsOf(s)&asked.Parts() != 0; got.Conflicts(asked) != want {
				t.Errorf("Modes(%06b).Combined() is %v, which conflicts with %v: %t, want %t", s, got, asked, !want, want)
			}
		}
		if got.Parts()&^s != 0 {
			t.Errorf("Modes(%06b).Combined() is %v, which has a part that is not in the set", s, got)
		}
	}
	for _, m := range allModes {
		if got := m.Parts().Combined(); got != m {
			t.Errorf("%v.Parts().Combined() = %v, want %v", m, got, m)
		}
	}
}

func TestConflictsAreSymmetricAndDecideConflictingAndCovers(t *testing.T) {
	for _, m := range allModes {
		for _, o := range allModes {
			conflict, covers := m.Conflicts(o), true
			for _, asked := range allModes {
				covers = covers && (m.Conflicts(asked) || !o.Conflicts(asked))
			}
			if got := o.Conflicts(m); got != conflict {
				t.Errorf("%v.Conflicts(%v) = %t, want %t as the other way round", o, m, got, conflict)
			}
			if got := m.Conflicting().Has(o); got != conflict {
				t.Errorf("%v.Conflicting().Has(%v) = %t, want %t", m, o, got, conflict)
			}
			if got := m.Covers(o); got != covers {
				t.Errorf("%v.Covers(%v) = %t, want %t", m, o, got, covers)
			}
		}
	}
}

func TestModesAreASet(t *testing.T) {
	for s := range waitqueue.AllModes + 1 {
		var members, looped []waitqueue.Mode
		for _, m := range allModes {
			if s.Has(m) {
				members = append(members, m)
			}
			if with, without := s.With(m), s.Without(m); !with.Has(m) || without.Has(m) || with.Without(m) != without || without.With(m) != with {
				t.Errorf("Modes(%09b): With(%v) = %09b, Without(%v) = %09b", s, m, with, m, without)
			}
		}
		for rest := s; rest != 0; rest = rest.WithoutFirst() {
			looped = append(looped, rest.First())
		}
		if diff := cmp.Diff(members, looped); diff != "" {
			t.Errorf("First and WithoutFirst of Modes(%09b): -want +got:\n%s", s, diff)
		}
	}
}
