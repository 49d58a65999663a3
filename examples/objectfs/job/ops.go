package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"

	"github.com/treelock/treelock/examples/objectfs/folder"
)

// An op is a kind of operation. An operation on an area acts on all its folders at once.
type op struct {
	name   string
	weight int // how often it is chosen
	do     func(j *Job, ctx context.Context, rng *rand.Rand) error
}

// ops are all kinds. Their weights keep a balance in which about a third of the folders is empty.
var ops = []op{
	{"read folder", 26, func(j *Job, ctx context.Context, rng *rand.Rand) error {
		return j.read(ctx, j.pick(rng, j.layout.slots, true))
	}},
	{"overwrite folder", 20, func(j *Job, ctx context.Context, rng *rand.Rand) error {
		slots, trees := j.layout.slots, j.config.Trees
		return j.write(ctx, j.fs, slots[rng.IntN(len(slots))], trees[rng.IntN(len(trees))])
	}},
	{"rename folder", 18, func(j *Job, ctx context.Context, rng *rand.Rand) error {
		src := j.pick(rng, j.layout.slots, true)
		return j.rename(ctx, src, j.other(rng, j.layout.slots, src))
	}},
	{"copy folder", 12, func(j *Job, ctx context.Context, rng *rand.Rand) error {
		src := j.pick(rng, j.layout.slots, true)
		return j.copy(ctx, src, j.other(rng, j.layout.slots, src))
	}},
	{"delete folder", 18, func(j *Job, ctx context.Context, rng *rand.Rand) error {
		return j.remove(ctx, j.pick(rng, j.layout.slots, true))
	}},
	{"read area", 2, func(j *Job, ctx context.Context, rng *rand.Rand) error {
		return j.read(ctx, j.pick(rng, j.layout.areas, true))
	}},
	{"copy area", 2, func(j *Job, ctx context.Context, rng *rand.Rand) error {
		return j.copy(ctx, j.pick(rng, j.layout.areas, true), j.pick(rng, j.layout.archives, false))
	}},
	{"rename area", 1, func(j *Job, ctx context.Context, rng *rand.Rand) error {
		src := j.pick(rng, j.layout.archives, true)
		return j.rename(ctx, src, j.other(rng, j.layout.archives, src))
	}},
	{"delete area", 1, func(j *Job, ctx context.Context, rng *rand.Rand) error {
		return j.remove(ctx, j.pick(rng, j.layout.archives, true))
	}},
}

// Ops returns the names of all operations.
func Ops() []string {
	names := make([]string, len(ops))
	for i, op := range ops {
		names[i] = op.name
	}
	return names
}

func draw(rng *rand.Rand) op {
	sum := 0
	for _, op := range ops {
		sum += op.weight
	}
	n := rng.IntN(sum)
	for _, op := range ops {
		if n -= op.weight; n < 0 {
			return op
		}
	}
	panic("BUG: a draw beyond all operations")
}

// tries is how many places a client looks at before it takes the last one as it is.
const tries = 8

// pick chooses one of places that is filled, or empty, at this moment. When the operation gets its
// grant that may have changed, and then the operation is refused.
func (j *Job) pick(rng *rand.Rand, places []place, filled bool) place {
	var p place
	for range tries {
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

func (j *Job) write(ctx context.Context, f *folder.FS, p place, tree *Tree) error {
	v := version{tree, j.versions.Add(1)}
	return f.Then(func(err error) { j.ledger.put(err, p, v) }).WriteFolder(ctx, p.key, v.render())
}

func (j *Job) rename(ctx context.Context, src, dst place) error {
	return j.transfer(src, dst, false, func(f *folder.FS) error { return f.RenameFolder(ctx, src.key, dst.key) })
}

func (j *Job) copy(ctx context.Context, src, dst place) error {
	return j.transfer(src, dst, true, func(f *folder.FS) error { return f.CopyFolder(ctx, src.key, dst.key) })
}

func (j *Job) remove(ctx context.Context, p place) error {
	return j.transfer(p, place{}, false, func(f *folder.FS) error { return f.DeleteFolder(ctx, p.key) })
}

// transfer does an operation on src and dst, and fails if its outcome is wrong by the ledger.
func (j *Job) transfer(src, dst place, keep bool, do func(f *folder.FS) error) error {
	var wrong error
	err := do(j.fs.Then(func(err error) { wrong = j.ledger.transfer(err, src, dst, keep) }))
	return cmp.Or(wrong, err)
}

// read reads p, and fails if it gets other files than those of the ledger at that moment.
func (j *Job) read(ctx context.Context, p place) error {
	var want []version
	files, err := j.fs.Then(func(error) { want = j.ledger.versions(p) }).ReadFolder(ctx, p.key)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if damages := judge(p, files, want, j.config.Trees); len(damages) > 0 {
		return &wrongRead{damages[0]}
	}
	return err
}

// A wrongRead means that a read got other files than it must.
type wrongRead struct{ damage Damage }

func (e *wrongRead) Error() string { return fmt.Sprintf("objectfs: wrong read of %v", e.damage) }
