package job

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/treelock/treelock/examples/objectfs/folder"
)

// A Kind of damage is how a folder differs from what it must hold.
type Kind string

// The kinds of damage. A folder has the first that fits.
const (
	Lost  Kind = "lost"  // it must hold files and holds none
	Mixed Kind = "mixed" // it holds files of several versions, or files that are not of the job
	Torn  Kind = "torn"  // files of its version are missing or broken, or there are others
	Stale Kind = "stale" // it holds all of one version, but of another one than it must
	Stray Kind = "stray" // a file that is in no folder of the job
)

// Kinds are all kinds of damage.
var Kinds = []Kind{Torn, Lost, Mixed, Stale, Stray}

// Damage says what is wrong with one folder.
type Damage struct {
	Folder string
	Kind   Kind
	Detail string
}

// String describes the damage in one line.
func (d Damage) String() string { return fmt.Sprintf("%s: %s: %s", d.Folder, d.Kind, d.Detail) }

// judge compares the files that were read from p with the versions that its slots must hold. To
// say what is wrong with a slot it must know all trees.
func judge(p place, files folder.Files, want []Version, trees []*Tree) []Damage {
	found := make(map[string]folder.Files)
	var damages []Damage
	for _, name := range slices.Sorted(maps.Keys(files)) {
		key := p.key + "/" + name
		slot := slices.IndexFunc(p.slots, func(slot string) bool { return strings.HasPrefix(key, slot+"/") })
		if slot < 0 {
			damages = append(damages, Damage{key, Stray, "a file outside all folders"})
			continue
		}
		in := p.slots[slot]
		if found[in] == nil {
			found[in] = make(folder.Files)
		}
		found[in][key[len(in)+1:]] = files[name]
	}
	for i, slot := range p.slots {
		if !want[i].is(found[slot], trees) {
			kind, detail := explain(found[slot], want[i], trees)
			damages = append(damages, Damage{slot, kind, detail})
		}
	}
	return damages
}

// explain says what is wrong with files that are not those of want.
func explain(found folder.Files, want Version, trees []*Tree) (Kind, string) {
	if len(found) == 0 {
		return Lost, fmt.Sprintf("no file of %d", len(want.render(trees)))
	}
	versions := make(map[Version]bool)
	var is Version
	for name, data := range found {
		tree, number, ok := readStamp(data)
		if !ok || tree < 0 || tree >= len(trees) || number == 0 {
			return Mixed, fmt.Sprintf("file %q is not of the job", name)
		}
		is = Version{tree, number}
		versions[is] = true
	}
	switch {
	case len(versions) > 1:
		return Mixed, fmt.Sprintf("%d files of %d versions", len(found), len(versions))
	case is.is(found, trees):
		return Stale, fmt.Sprintf("all of %v where there must be %v", is, want)
	}
	missing, broken := 0, 0
	for name, data := range is.render(trees) {
		switch got, ok := found[name]; {
		case !ok:
			missing++
		case !bytes.Equal(got, data):
			broken++
		}
	}
	extra := len(found) + missing - len(trees[is.Tree].files)
	return Torn, fmt.Sprintf("%v with %d files missing, %d too many, %d broken", is, missing, extra, broken)
}
