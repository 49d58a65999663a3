package job

import (
	"testing"

	"github.com/treelock/treelock/examples/objectfs/folder"
	"github.com/treelock/treelock/examples/objectfs/lock"
)

// A vandal breaks the bucket behind the job's back: its first slot, which holds v, and others.
type vandal struct {
	*testing.T
	j    *Job
	slot place
	v    version
}

func (b vandal) put(key string, data []byte) {
	b.Helper()
	if err := b.j.store.Write(b.Context(), key, data); err != nil {
		b.Fatal(err)
	}
}

func (b vandal) putAll(slot string, files folder.Files) {
	b.Helper()
	for name, data := range files {
		b.put(slot+"/"+name, data)
	}
}

func (b vandal) remove(key string) {
	b.Helper()
	if err := b.j.store.Delete(b.Context(), key); err != nil {
		b.Fatal(err)
	}
}

func (b vandal) removeAll(slot string) {
	b.Helper()
	keys, err := b.j.store.List(b.Context(), slot+"/")
	if err != nil {
		b.Fatal(err)
	}
	for _, key := range keys {
		b.remove(key)
	}
}

func (b vandal) stampAll(stamp string) {
	b.Helper()
	for name := range b.v.render() {
		b.put(b.slot.key+"/"+name, []byte(stamp))
	}
}

// other is another version of the tree in the slot.
func (b vandal) other() version { return version{b.v.tree, b.v.number + 1000} }

const first, empty, file = "area-00/slot-0", "area-08/slot-7", "dir-0/0"

// damages has every kind of damage, and what Verify must say of it.
var damages = map[string]struct {
	damage func(b vandal)
	want   []string
}{
	"none":            {func(vandal) {}, nil},
	"a file is gone":  {func(b vandal) { b.remove(b.slot.key + "/" + file) }, []string{first + ": torn"}},
	"a file too many": {func(b vandal) { b.put(b.slot.key+"/more", b.v.render()[file]) }, []string{first + ": torn"}},
	"a broken file":   {func(b vandal) { b.put(b.slot.key+"/"+file, append(b.v.render()[file], '!')) }, []string{first + ": torn"}},
	"a cut file":      {func(b vandal) { b.put(b.slot.key+"/"+file, b.v.render()[file][:15]) }, []string{first + ": torn"}},
	"a renamed file": {
		func(b vandal) { b.remove(b.slot.key + "/" + file); b.put(b.slot.key+"/"+file+"0", b.v.render()[file]) },
		[]string{first + ": torn"},
	},
	"two files alike":  {func(b vandal) { b.put(b.slot.key+"/"+file, b.v.render()["dir-1/1"]) }, []string{first + ": torn"}},
	"another version":  {func(b vandal) { b.put(b.slot.key+"/"+file, b.other().render()[file]) }, []string{first + ": mixed"}},
	"a foreign file":   {func(b vandal) { b.put(b.slot.key+"/"+file, []byte("hello")) }, []string{first + ": mixed"}},
	"an unknown tree":  {func(b vandal) { b.stampAll("objectfs 99 1\n") }, []string{first + ": mixed"}},
	"a negative tree":  {func(b vandal) { b.stampAll("objectfs -1 1\n") }, []string{first + ": mixed"}},
	"all of another":   {func(b vandal) { b.putAll(b.slot.key, b.other().render()) }, []string{first + ": stale"}},
	"all are gone":     {func(b vandal) { b.removeAll(b.slot.key) }, []string{first + ": lost"}},
	"a forgotten copy": {func(b vandal) { b.putAll("job/"+empty, b.v.render()) }, []string{empty + ": stale"}},
	"half a copy":      {func(b vandal) { b.put("job/"+empty+"/"+file, b.v.render()[file]) }, []string{empty + ": torn"}},
	"a stray in an area": {
		func(b vandal) { b.put("job/area-00/x", nil); b.put("job/area-00/slot-00", nil) },
		[]string{"area-00/slot-00: stray", "area-00/x: stray"},
	},
	"a stray beside": {func(b vandal) { b.put("job/area-99/slot-0/x", nil) }, []string{"area-99/slot-0/x: stray"}},
	"several": {
		func(b vandal) { b.remove(b.slot.key + "/" + file); b.put("job/x", nil); b.put("job/"+empty+"/x", nil) },
		[]string{first + ": torn", empty + ": mixed", "x: stray"},
	},
}

func TestVerifierSeesEveryKindOfDamage(t *testing.T) {
	for name, test := range damages {
		t.Run(name, func(t *testing.T) {
			j := loaded(t, openStore(t, "mem://"), Config{Locks: lock.None()})
			slot := j.layout.slots[0]
			test.damage(vandal{t, j, slot, j.ledger.versions(slot)[0]})
			wantDamage(t, j, test.want...)
		})
	}
}

// A read is judged as a folder is at the end.
func TestTornReadIsNoticed(t *testing.T) {
	j := loaded(t, openStore(t, "mem://"), Config{Locks: lock.None()})
	slot, area := j.layout.slots[0], j.layout.areas[0]
	for _, p := range []place{slot, area} {
		if err := j.read(t.Context(), p); err != nil {
			t.Errorf("read of %s = %v", p.key, err)
		}
	}
	if err := j.store.Delete(t.Context(), slot.key+"/dir-0/0"); err != nil {
		t.Fatal(err)
	}
	for _, p := range []place{slot, area} {
		err := j.read(t.Context(), p)
		j.count(Read, err)
		if err == nil {
			t.Errorf("read of %s: no error, want one that says that %s is torn", p.key, slot.key)
		}
	}
	if got := j.result.Reads[Torn]; got != 2 {
		t.Errorf("%d torn reads are counted, want 2", got)
	}
	if got, want := j.result.Ops[Read], (Count{Failed: 2}); got != want {
		t.Errorf("reads are counted as %+v, want %+v", got, want)
	}
}

// An operation that is refused, or not, against the ledger is a failure, not a refusal.
func TestWrongRefusalIsNoticed(t *testing.T) {
	j := loaded(t, openStore(t, "mem://"), Config{Locks: lock.None()})
	ctx := t.Context()
	filled, other, free := j.layout.slots[0], j.layout.slots[1], j.layout.slots[len(j.layout.slots)-1]
	for _, err := range []error{j.rename(ctx, free, filled), j.copy(ctx, filled, other), j.remove(ctx, free)} {
		j.count(Rename, err)
	}
	if got, want := j.result.Ops[Rename], (Count{Refused: 3}); got != want {
		t.Errorf("rightly refused operations are counted as %+v, want %+v", got, want)
	}

	j.ledger.put(nil, free, j.ledger.versions(filled)[0]) // it must be there, and is not
	j.ledger.put(nil, other, version{})                   // it must be gone, and is not
	for _, err := range []error{j.copy(ctx, filled, free), j.rename(ctx, filled, other), j.remove(ctx, other), j.remove(ctx, other)} {
		j.count(Copy, err)
	}
	if got, want := j.result.Ops[Copy], (Count{Refused: 1, Failed: 3}); got != want {
		t.Errorf("they are counted as %+v, want %+v: %q", got, want, j.result.Errors)
	}
}

func TestLayoutKeepsPlacesApart(t *testing.T) {
	l := newLayout("p", 41)
	seen := make(map[string]bool)
	for _, key := range l.everything() {
		if seen[key] {
			t.Errorf("%s is there twice", key)
		}
		seen[key] = true
	}
	if filled, all := 41, len(l.slots); all < filled*3/2 || all > filled*3/2+slotsPerArea {
		t.Errorf("%d slots for %d folders", all, filled)
	}
	for _, slot := range l.slots {
		if !seen[slot.key] {
			t.Errorf("%s is not among everything", slot.key)
		}
	}
}

func TestWeightsSumUpToAHundred(t *testing.T) {
	sum := 0
	for _, op := range Ops {
		sum += weights[op]
	}
	if sum != 100 {
		t.Errorf("the weights sum up to %d", sum)
	}
}
