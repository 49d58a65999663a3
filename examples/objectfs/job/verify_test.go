package job

import (
	"testing"

	"github.com/treelock/treelock/examples/objectfs/folder"
	"github.com/treelock/treelock/examples/objectfs/lock"
)

// A vandal changes the store without the job. files is what the first slot holds.
type vandal struct {
	*testing.T
	j     *Job
	files folder.Files
}

const first, empty, file = "area-00/slot-0", "area-08/slot-7", "dir-0/0"

func newVandal(t *testing.T) vandal {
	j := loaded(t, Config{Locks: lock.None()})
	return vandal{t, j, j.version(first).render()}
}

// version returns what slot must hold.
func (j *Job) version(slot string) version { return j.ledger.want["job/"+slot] }

func (v vandal) put(key string, data []byte) {
	v.Helper()
	if err := v.j.config.Store.Write(v.Context(), "job/"+key, data); err != nil {
		v.Fatal(err)
	}
}

func (v vandal) putAll(slot string, files folder.Files) {
	v.Helper()
	for name, data := range files {
		v.put(slot+"/"+name, data)
	}
}

func (v vandal) remove(key string) {
	v.Helper()
	if err := v.j.config.Store.Delete(v.Context(), "job/"+key); err != nil {
		v.Fatal(err)
	}
}

func (v vandal) removeAll(slot string) {
	v.Helper()
	for name := range v.files {
		v.remove(slot + "/" + name)
	}
}

func (v vandal) stampAll(stamp string) {
	v.Helper()
	for name := range v.files {
		v.put(first+"/"+name, []byte(stamp))
	}
}

// other is another version of the tree in the first slot.
func (v vandal) other() folder.Files {
	is := v.j.version(first)
	return version{is.tree, is.number + 1000}.render()
}

func TestVerifierSeesEveryKindOfDamage(t *testing.T) {
	for name, test := range map[string]struct {
		damage func(v vandal)
		want   []string
	}{
		"none":             {func(vandal) {}, nil},
		"a file is gone":   {func(v vandal) { v.remove(first + "/" + file) }, []string{first + ": torn"}},
		"a file too many":  {func(v vandal) { v.put(first+"/more", v.files[file]) }, []string{first + ": torn"}},
		"a broken file":    {func(v vandal) { v.put(first+"/"+file, append(v.files[file], '!')) }, []string{first + ": torn"}},
		"a cut file":       {func(v vandal) { v.put(first+"/"+file, v.files[file][:15]) }, []string{first + ": torn"}},
		"two files alike":  {func(v vandal) { v.put(first+"/"+file, v.files["dir-1/1"]) }, []string{first + ": torn"}},
		"a renamed file":   {func(v vandal) { v.remove(first + "/" + file); v.put(first+"/0", v.files[file]) }, []string{first + ": torn"}},
		"another version":  {func(v vandal) { v.put(first+"/"+file, v.other()[file]) }, []string{first + ": mixed"}},
		"a foreign file":   {func(v vandal) { v.put(first+"/"+file, []byte("hello")) }, []string{first + ": mixed"}},
		"an unknown tree":  {func(v vandal) { v.stampAll("objectfs 99 1\n") }, []string{first + ": mixed"}},
		"a negative tree":  {func(v vandal) { v.stampAll("objectfs -1 1\n") }, []string{first + ": mixed"}},
		"all of another":   {func(v vandal) { v.putAll(first, v.other()) }, []string{first + ": stale"}},
		"all are gone":     {func(v vandal) { v.removeAll(first) }, []string{first + ": lost"}},
		"a forgotten copy": {func(v vandal) { v.putAll(empty, v.files) }, []string{empty + ": stale"}},
		"half a copy":      {func(v vandal) { v.put(empty+"/"+file, v.files[file]) }, []string{empty + ": torn"}},
		"strays": {
			func(v vandal) { v.put("area-00/x", nil); v.put("area-00/slot-00", nil); v.put("area-99/slot-0/x", nil) },
			[]string{"area-00/slot-00: stray", "area-00/x: stray", "area-99/slot-0/x: stray"},
		},
		"several": {
			func(v vandal) { v.remove(first + "/" + file); v.put("x", nil); v.put(empty+"/x", nil) },
			[]string{"x: stray", first + ": torn", empty + ": mixed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVandal(t)
			test.damage(v)
			wantDamage(t, v.j, test.want...)
		})
	}
}

func TestVerifierMissesWholeStore(t *testing.T) {
	j := loaded(t, Config{Locks: lock.None()})
	if err := j.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	if damages, err := j.Verify(t.Context()); len(damages) != fewestFilled || err != nil {
		t.Errorf("Verify of an empty store = %d damages, %v, want %d", len(damages), err, fewestFilled)
	}
}

func TestTornReadIsNoticed(t *testing.T) {
	v := newVandal(t)
	slot, area := v.j.layout.slots[0], v.j.layout.areas[0]
	for _, p := range []place{slot, area} {
		if err := v.j.read(t.Context(), p); err != nil {
			t.Errorf("read of %s = %v", p.key, err)
		}
	}
	v.remove(first + "/" + file)
	for _, p := range []place{slot, area} {
		v.j.count("read", v.j.read(t.Context(), p))
	}
	if got, want := v.j.result.Ops["read"], (Count{Failed: 2}); got != want || v.j.result.WrongReads != 2 {
		t.Errorf("reads are counted as %+v with %d wrong ones, want %+v, all wrong", got, v.j.result.WrongReads, want)
	}
}

func TestOutcomeThatContradictsTheLedgerIsAFailure(t *testing.T) {
	j, ctx := loaded(t, Config{Locks: lock.None()}), t.Context()
	filled, other, free := j.layout.slots[0], j.layout.slots[1], j.layout.slots[len(j.layout.slots)-1]
	for _, err := range []error{j.rename(ctx, free, filled), j.copy(ctx, filled, other), j.remove(ctx, free)} {
		j.count("right", err)
	}
	if got, want := j.result.Ops["right"], (Count{Refused: 3}); got != want {
		t.Errorf("rightly refused operations are counted as %+v, want %+v", got, want)
	}
	j.ledger.put(nil, free, j.ledger.want[filled.key]) // it must be there, and is not
	j.ledger.put(nil, other, version{})                // it must be gone, and is not
	for _, err := range []error{
		j.copy(ctx, filled, free), j.rename(ctx, filled, other), j.remove(ctx, other), j.remove(ctx, other),
	} {
		j.count("wrong", err)
	}
	if got, want := j.result.Ops["wrong"], (Count{Refused: 1, Failed: 3}); got != want {
		t.Errorf("they are counted as %+v, want %+v: %q", got, want, j.result.Errors)
	}
}
