package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"

	"golang.org/x/sync/errgroup"

	"github.com/treelock/treelock/examples/objectfs/folder"
)

// An op is a kind of operation, from a filled place to an empty one. An operation on an area acts
// on all its folders at once.
type op struct {
	name     string
	weight   int                     // how often it is chosen
	from, to func(l *layout) []place // nil if there is none
	do       func(j *Job, ctx context.Context, src, dst place) error
}

// ops are all kinds. Their weights keep a balance in which about a third of the folders is empty.
var ops = []op{
	{"read folder", 26, slots, nil, (*Job).read},
	{"create folder", 7, nil, slots, (*Job).create},
	{"overwrite folder", 13, slots, nil, (*Job).overwrite},
	{"rename folder", 18, slots, slots, (*Job).rename},
	{"copy folder", 12, slots, slots, (*Job).copy},
	{"delete folder", 18, slots, nil, (*Job).remove},
	{"read area", 2, areas, nil, (*Job).read},
	{"copy area", 2, areas, archives, (*Job).copy},
	{"rewrite area", 1, areas, nil, (*Job).rewrite},
	{"rename area", 1, archives, archives, (*Job).rename},
	{"delete area", 1, archives, nil, (*Job).remove},
}

func slots(l *layout) []place    { return l.slots }
func areas(l *layout) []place    { return l.areas }
func archives(l *layout) []place { return l.archives }

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

// perform does an operation of kind op on places of rng's choice.
func (j *Job) perform(ctx context.Context, rng *rand.Rand, op op) error {
	var src, dst place
	if op.from != nil {
		src = j.pick(rng, op.from(&j.layout), true, "")
	}
	if op.to != nil {
		dst = j.pick(rng, op.to(&j.layout), false, src.key)
	}
	return op.do(j, ctx, src, dst)
}

// tries is how many places a client looks at before it takes one as it is.
const tries = 8

// pick chooses one of places, except one, that is filled, or empty, at this moment. When the
// operation gets its grant that may have changed, and then the operation is refused.
func (j *Job) pick(rng *rand.Rand, places []place, filled bool, except string) place {
	for n := 1; ; n++ {
		p := places[rng.IntN(len(places))]
		if p.key != except && (n >= tries || j.ledger.filled(p) == filled) {
			return p
		}
	}
}

// write writes a new version of the next tree to the slot p.
func (j *Job) write(ctx context.Context, f *folder.FS, p place) error {
	number := j.versions.Add(1)
	v := version{j.config.Trees[number%uint64(len(j.config.Trees))], number}
	return f.Then(func(err error) { j.ledger.put(err, p, v) }).WriteFolder(ctx, p.key, v.render())
}

func (j *Job) create(ctx context.Context, _, dst place) error    { return j.write(ctx, j.fs, dst) }
func (j *Job) overwrite(ctx context.Context, src, _ place) error { return j.write(ctx, j.fs, src) }

// rewrite writes the filled slots of the area src, all at once, inside one request.
func (j *Job) rewrite(ctx context.Context, src, _ place) error {
	return j.fs.InFolder(ctx, src.key, func(inside *folder.FS) error {
		var group errgroup.Group
		for i := range src.slots {
			slot := place{src.slots[i], src.slots[i : i+1]}
			if j.ledger.filled(slot) {
				group.Go(func() error { return j.write(ctx, inside, slot) })
			}
		}
		return group.Wait()
	})
}

func (j *Job) rename(ctx context.Context, src, dst place) error {
	return j.transfer(src, dst, false, func(f *folder.FS) error { return f.RenameFolder(ctx, src.key, dst.key) })
}

func (j *Job) copy(ctx context.Context, src, dst place) error {
	return j.transfer(src, dst, true, func(f *folder.FS) error { return f.CopyFolder(ctx, src.key, dst.key) })
}

func (j *Job) remove(ctx context.Context, src, _ place) error {
	return j.transfer(src, place{}, false, func(f *folder.FS) error { return f.DeleteFolder(ctx, src.key) })
}

// transfer does an operation on src and dst, and fails if its outcome is wrong by the ledger.
func (j *Job) transfer(src, dst place, keep bool, do func(f *folder.FS) error) error {
	var wrong error
	err := do(j.fs.Then(func(err error) { wrong = j.ledger.transfer(err, src, dst, keep) }))
	return cmp.Or(wrong, err)
}

// read reads p, and fails if it gets other files than those of the ledger at that moment.
func (j *Job) read(ctx context.Context, p, _ place) error {
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
