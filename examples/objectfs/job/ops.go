package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"

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
func (j *Job) perform(ctx context.Context, rng *rand.Rand, op op) (err error) {
	var src, dst place
	if op.from != nil {
		src, err = j.pick(ctx, rng, op.from(&j.layout), true, "")
	}
	if op.to != nil && err == nil {
		dst, err = j.pick(ctx, rng, op.to(&j.layout), false, src.key)
	}
	if err != nil {
		return err
	}
	return op.do(j, ctx, src, dst)
}

// tries is how many places a client looks at before it takes one as it is.
const tries = 8

// pick chooses one of places, except one, that is filled, or empty, at this moment. When the
// operation gets its grant that may have changed, and then the operation is refused.
func (j *Job) pick(ctx context.Context, rng *rand.Rand, places []place, filled bool, except string) (place, error) {
	for n := 1; ; n++ {
		p := places[rng.IntN(len(places))]
		if p.key == except {
			continue
		}
		if n >= tries {
			return p, nil
		}
		if is, err := j.filled(ctx, p); is == filled || err != nil {
			return p, err
		}
	}
}

// filled reports whether some slot of p must hold something.
func (j *Job) filled(ctx context.Context, p place) (bool, error) {
	versions, err := j.config.Ledger.Versions(ctx, p.slots)
	return slices.ContainsFunc(versions, func(v Version) bool { return v != Version{} }), err
}

// write writes a new version of the next tree to the slot p.
func (j *Job) write(ctx context.Context, f *folder.FS, p place) error {
	number := j.versions.Add(1)
	v := Version{int(number % uint64(len(j.config.Trees))), number}
	record := func(ctx context.Context, err error) error {
		if err != nil {
			return err
		}
		return j.config.Ledger.Put(ctx, p.key, v)
	}
	return f.Then(record).WriteFolder(ctx, p.key, v.render(j.config.Trees))
}

func (j *Job) create(ctx context.Context, _, dst place) error    { return j.write(ctx, j.fs, dst) }
func (j *Job) overwrite(ctx context.Context, src, _ place) error { return j.write(ctx, j.fs, src) }

// rewrite writes the filled slots of the area src, all at once, inside one request.
func (j *Job) rewrite(ctx context.Context, src, _ place) error {
	return j.fs.InFolder(ctx, src.key, func(ctx context.Context, inside *folder.FS) error {
		var group errgroup.Group
		for i := range src.slots {
			slot := place{src.slots[i], src.slots[i : i+1]}
			filled, err := j.filled(ctx, slot)
			if err != nil {
				return errors.Join(err, group.Wait())
			}
			if filled {
				group.Go(func() error { return j.write(ctx, inside, slot) })
			}
		}
		return group.Wait()
	})
}

func (j *Job) rename(ctx context.Context, src, dst place) error {
	return j.transferring(src, dst, false).RenameFolder(ctx, src.key, dst.key)
}

func (j *Job) copy(ctx context.Context, src, dst place) error {
	return j.transferring(src, dst, true).CopyFolder(ctx, src.key, dst.key)
}

func (j *Job) remove(ctx context.Context, src, _ place) error {
	return j.transferring(src, place{}, false).DeleteFolder(ctx, src.key)
}

// transferring returns an FS for an operation on src and dst, which fails if its outcome is wrong
// by the ledger.
func (j *Job) transferring(src, dst place, keep bool) *folder.FS {
	t := Transfer{From: src.key, To: dst.key, Src: src.slots, Dst: dst.slots, Keep: keep}
	return j.fs.Then(func(ctx context.Context, err error) error {
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return cmp.Or(j.config.Ledger.Transfer(ctx, t, err), err)
	})
}

// read reads p, and fails if it gets other files than those of the ledger at that moment.
func (j *Job) read(ctx context.Context, p, _ place) error {
	var want []Version
	record := func(ctx context.Context, err error) (unknown error) {
		want, unknown = j.config.Ledger.Versions(ctx, p.slots)
		return cmp.Or(unknown, err)
	}
	files, err := j.fs.Then(record).ReadFolder(ctx, p.key)
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
