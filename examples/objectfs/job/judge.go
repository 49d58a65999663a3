package job

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/treelock/treelock/examples/objectfs/folder"
)

// A Kind of damage is how a folder differs from what it must hold.
type Kind string

// The kinds of damage. A folder has the first that fits.
const (
	Lost  Kind = "lost"  // it must hold files and holds none
	Mixed Kind = "mixed" // it holds files of several versions, or files that are none of the job's
	Torn  Kind = "torn"  // it lacks files, or has some too many, or broken ones
	Stale Kind = "stale" // it holds all of one version, but not of the one that it must hold
	Stray Kind = "stray" // a file that is in no folder of the job
)

// Kinds are all kinds of damage, the plainest first.
var Kinds = []Kind{Torn, Lost, Mixed, Stale, Stray}

// Damage says what is wrong with one folder.
type Damage struct {
	Folder string
	Kind   Kind
	Detail string
}

// String describes the damage in one line.
func (d Damage) String() string { return fmt.Sprintf("%s: %s: %s", d.Folder, d.Kind, d.Detail) }

// judge compares the files that were found in a folder with the version that it must hold. It goes by the digest
// of all names and bytes; only if that differs it looks for the reason, for which it must know all trees.
func judge(name string, found folder.Files, want version, trees []*Tree) (damage Damage, sound bool) {
	if len(found) == 0 {
		if want.tree == nil {
			return Damage{}, true
		}
		return Damage{name, Lost, fmt.Sprintf("no file of %d", len(want.tree.files))}, false
	}
	if want.tree != nil && digestOf(found) == digestOf(want.render()) {
		return Damage{}, true
	}
	kind, detail := explain(found, want, trees)
	return Damage{name, kind, detail}, false
}

// explain says what is wrong with files that are not what they must be.
func explain(found folder.Files, want version, trees []*Tree) (Kind, string) {
	stamps := make(map[stamp]bool)
	for name, data := range found {
		s, ok := readStamp(data)
		if !ok || s.tree < 0 || s.tree >= len(trees) {
			return Mixed, fmt.Sprintf("file %q is none of the job's", name)
		}
		stamps[s] = true
	}
	if len(stamps) > 1 {
		return Mixed, fmt.Sprintf("%d files of %d versions", len(found), len(stamps))
	}
	var is version
	for s := range stamps {
		is = version{trees[s.tree], s.number}
	}
	expected := is.render()
	if digestOf(found) == digestOf(expected) {
		return Stale, fmt.Sprintf("all of %v where there must be %v", is, want)
	}
	missing, extra, broken := difference(found, expected)
	return Torn, fmt.Sprintf("%v with %d files missing, %d too many, %d broken", is, missing, extra, broken)
}

func difference(found, expected folder.Files) (missing, extra, broken int) {
	for name, data := range expected {
		switch got, ok := found[name]; {
		case !ok:
			missing++
		case string(got) != string(data):
			broken++
		}
	}
	return missing, len(found) + missing - len(expected), broken
}

// digest is a hash over names and bytes of all files of a folder.
type digest [sha256.Size]byte

// digestOf hashes the names and the bytes of files. Lengths go before each, so that no two
// folders are hashed alike.
func digestOf(files folder.Files) digest {
	hash := sha256.New()
	part := func(data []byte) {
		hash.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(data))))
		hash.Write(data)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		part([]byte(name))
		part(files[name])
	}
	return digest(hash.Sum(nil))
}
