package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"

	"github.com/treelock/treelock/examples/objectfs/folder"
)

// An Op is a kind of operation, as the report names it.
type Op string

// The kinds of operations. Those on an area act on all its folders at once.
const (
	Read       Op = "read folder"
	Write      Op = "overwrite folder"
	Rename     Op = "rename folder"
	Copy       Op = "copy folder"
	Delete     Op = "delete folder"
	ReadArea   Op = "read area"
	CopyArea   Op = "copy area"
	RenameArea Op = "rename area"
	DeleteArea Op = "delete area"
)

// Ops are all kinds of operations.
var Ops = []Op{Read, Write, Rename, Copy, Delete, ReadArea, CopyArea, RenameArea, DeleteArea}

// weights says how many of a hundred operations are of each kind. What creates folders and what deletes them
// is in balance when about a third of them is empty.
var weights = map[Op]int{
	Read: 26, Write: 20, Rename: 18, Copy: 12, Delete: 18,
	ReadArea: 2, CopyArea: 2, RenameArea: 1, DeleteArea: 1,
}

func draw(rng *rand.Rand) Op {
	n := rng.IntN(100)
	for _, op := range Ops {
		if n -= weights[op]; n < 0 {
			return op
		}
	}
	panic("BUG: the weights of the operations do not sum up to 100")
}

// perform does one operation of kind op on places of rng's choice.
func (j *Job) perform(ctx context.Context, rng *rand.Rand, op Op) error {
	slots, areas, archives := j.layout.slots, j.layout.areas, j.layout.archives
	switch op {
	case Read:
		return j.read(ctx, j.pick(rng, slots, true))
	case Write:
		return j.write(ctx, slots[rng.IntN(len(slots))], j.trees[rng.IntN(len(j.trees))])
	case Rename:
		src := j.pick(rng, slots, true)
		return j.rename(ctx, src, j.other(rng, slots, src))
	case Copy:
		src := j.pick(rng, slots, true)
		return j.copy(ctx, src, j.other(rng, slots, src))
	case Delete:
		return j.remove(ctx, j.pick(rng, slots, true))
	case ReadArea:
		return j.read(ctx, j.pick(rng, areas, true))
	case CopyArea:
		return j.copy(ctx, j.pick(rng, areas, true), j.pick(rng, archives, false))
	case RenameArea:
		src := j.pick(rng, archives, true)
		return j.rename(ctx, src, j.other(rng, archives, src))
	case DeleteArea:
		return j.remove(ctx, j.pick(rng, archives, true))
	}
	panic("BUG: unknown operation " + op)
}

// looks is how many places a client looks at before it takes the last one as it is.
const looks = 8

// pick chooses one of places, as somebody would who has just looked for one that is filled, or empty:
// when the operation gets its turn it may no longer be, and then is refused. So is one for which none was found.
func (j *Job) pick(rng *rand.Rand, places []place, filled bool) place {
	var p place
	for range looks {
		p = places[rng.IntN(len(places))]
		if j.ledger.filled(p) == filled {
			break
		}
	}
	return p
}

// other picks an empty one of places that is not src.
func (j *Job) other(rng *rand.Rand, places []place, src place) place {
	for {
		if p := j.pick(rng, places, false); p.key != src.key {
			return p
		}
	}
}

func (j *Job) write(ctx context.Context, p place, tree *Tree) error {
	v := version{tree, j.versions.Add(1)}
	return j.fs.Then(func(err error) {
		j.ledger.put(err, p, v)
	}).WriteFolder(ctx, p.key, v.render())
}

func (j *Job) rename(ctx context.Context, src, dst place) error {
	var wrong error
	err := j.fs.Then(func(err error) {
		wrong = j.ledger.transfer(err, src, dst, true)
	}).RenameFolder(ctx, src.key, dst.key)
	return cmp.Or(wrong, err)
}

func (j *Job) copy(ctx context.Context, src, dst place) error {
	var wrong error
	err := j.fs.Then(func(err error) {
		wrong = j.ledger.transfer(err, src, dst, false)
	}).CopyFolder(ctx, src.key, dst.key)
	return cmp.Or(wrong, err)
}

func (j *Job) remove(ctx context.Context, p place) error {
	var wrong error
	err := j.fs.Then(func(err error) {
		wrong = j.ledger.remove(err, p)
	}).DeleteFolder(ctx, p.key)
	return cmp.Or(wrong, err)
}

// read reads p and judges what it got by what the ledger said at that moment.
func (j *Job) read(ctx context.Context, p place) error {
	var want []version
	files, err := j.fs.Then(func(error) {
		want = j.ledger.versions(p)
	}).ReadFolder(ctx, p.key)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for i, slot := range p.slots {
		if damage, sound := judge(slot, within(files, p, slot), want[i], j.trees); !sound {
			return &wrongRead{damage}
		}
	}
	return err
}

// within returns the files of those read from p that are in its slot, by their names there.
func within(files folder.Files, p place, slot string) folder.Files {
	if slot == p.key {
		return files
	}
	part := make(folder.Files)
	for name, data := range files {
		if rest, ok := strings.CutPrefix(p.key+"/"+name, slot+"/"); ok {
			part[rest] = data
		}
	}
	return part
}

// A wrongRead says that a read got other files than it must.
type wrongRead struct{ damage Damage }

func (e *wrongRead) Error() string {
	return fmt.Sprintf("objectfs: read: %v: guard folders by locks", e.damage)
}
