package job

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/treelock/treelock/examples/objectfs/folder"
	"github.com/treelock/treelock/examples/objectfs/lock"
)

const first, empty, file = "area-00/slot-0/", "area-08/slot-7/", "dir-0/0"

// filledWith returns what the slots of p must hold.
func (j *Job) filledWith(t *testing.T, p place) []Version {
	t.Helper()
	versions, err := j.config.Ledger.Versions(t.Context(), p.slots)
	if err != nil {
		t.Fatal(err)
	}
	return versions
}

func TestJudgeSeesEveryKindOfDamage(t *testing.T) {
	j := loaded(t, Config{Locks: lock.None()})
	sound, err := j.alone.ReadFolder(t.Context(), "job")
	if err != nil {
		t.Fatal(err)
	}
	want := j.filledWith(t, j.layout.all)
	is := want[0].render(j.config.Trees)
	// other is the same tree, written at another time.
	other := Version{want[0].Tree, 1000}.render(j.config.Trees)
	put := func(files folder.Files, slot string, put folder.Files) {
		for name, data := range put {
			files[slot+name] = data
		}
	}
	stamp := func(files folder.Files, stamp string) {
		for name := range is {
			files[first+name] = []byte(stamp)
		}
	}
	for name, test := range map[string]struct {
		damage func(files folder.Files)
		want   string
	}{
		"none":            {func(folder.Files) {}, ""},
		"a file is gone":  {func(f folder.Files) { delete(f, first+file) }, "area-00/slot-0: torn"},
		"a file too many": {func(f folder.Files) { f[first+"more"] = is[file] }, "area-00/slot-0: torn"},
		"a longer file":   {func(f folder.Files) { f[first+file] = append(is[file], '!') }, "area-00/slot-0: torn"},
		"a cut file":      {func(f folder.Files) { f[first+file] = is[file][:15] }, "area-00/slot-0: torn"},
		"two files alike": {func(f folder.Files) { f[first+file] = is["dir-1/1"] }, "area-00/slot-0: torn"},
		"a renamed file":  {func(f folder.Files) { delete(f, first+file); f[first+"0"] = is[file] }, "area-00/slot-0: torn"},
		"another version": {func(f folder.Files) { f[first+file] = other[file] }, "area-00/slot-0: mixed"},
		"a foreign file":  {func(f folder.Files) { f[first+file] = []byte("hello") }, "area-00/slot-0: mixed"},
		"an unknown tree": {func(f folder.Files) { stamp(f, "objectfs 99 1\n") }, "area-00/slot-0: mixed"},
		"a negative tree": {func(f folder.Files) { stamp(f, "objectfs -1 1\n") }, "area-00/slot-0: mixed"},
		"all of another":  {func(f folder.Files) { put(f, first, other) }, "area-00/slot-0: stale"},
		"all are gone": {
			func(f folder.Files) {
				maps.DeleteFunc(f, func(name string, _ []byte) bool { return strings.HasPrefix(name, first) })
			},
			"area-00/slot-0: lost",
		},
		"a forgotten copy": {func(f folder.Files) { put(f, empty, is) }, "area-08/slot-7: stale"},
		"half a copy":      {func(f folder.Files) { f[empty+file] = is[file] }, "area-08/slot-7: torn"},
		"a stray beside":   {func(f folder.Files) { f["area-00/slot-00"] = nil }, "area-00/slot-00: stray"},
		"several": {
			func(f folder.Files) { delete(f, first+file); f["x"] = nil; f[empty+"x"] = nil },
			"x: stray, area-00/slot-0: torn, area-08/slot-7: mixed",
		},
	} {
		files := maps.Clone(sound)
		test.damage(files)
		var got []string
		for _, damage := range judge(j.layout.all, files, want, j.config.Trees) {
			got = append(got, strings.TrimPrefix(damage.Folder, "job/")+": "+string(damage.Kind))
		}
		if diff := cmp.Diff(test.want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestVerifierMissesEveryFolderOfAnEmptyStore(t *testing.T) {
	j := loaded(t, Config{Locks: lock.None()})
	if err := j.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	if damages, err := j.Verify(t.Context()); len(damages) != fewestFilled || err != nil {
		t.Errorf("Verify = %d damages, %v, want %d", len(damages), err, fewestFilled)
	}
}

func TestWrongReadIsAFailure(t *testing.T) {
	j, ctx := loaded(t, Config{Locks: lock.None()}), t.Context()
	for range 2 {
		for _, p := range []place{j.layout.slots[0], j.layout.areas[0]} {
			j.count("read", j.read(ctx, p, place{}))
		}
		if err := j.config.Store.Write(ctx, "job/"+first+file, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := j.result.Ops["read"], (Count{Done: 2, Failed: 2, WrongReads: 2}); got != want || j.result.WrongReads != 2 {
		t.Errorf("reads are counted as %+v with %d wrong ones, want %+v with 2", got, j.result.WrongReads, want)
	}
}

func TestOutcomeThatContradictsTheLedgerIsAFailure(t *testing.T) {
	j, ctx := loaded(t, Config{Locks: lock.None()}), t.Context()
	filled, other, free := j.layout.slots[0], j.layout.slots[1], j.layout.slots[len(j.layout.slots)-1]
	for _, err := range []error{j.rename(ctx, free, filled), j.copy(ctx, filled, other), j.remove(ctx, free, place{})} {
		j.count("right", err)
	}
	if got, want := j.result.Ops["right"], (Count{Refused: 3}); got != want {
		t.Errorf("rightly refused operations are counted as %+v, want %+v", got, want)
	}
	j.config.Ledger.Put(ctx, free.key, j.filledWith(t, filled)[0]) // it must be there, and is not
	j.config.Ledger.Put(ctx, other.key, Version{})                 // it must be gone, and is not
	for _, err := range []error{
		j.remove(ctx, free, place{}), j.copy(ctx, filled, free), j.rename(ctx, filled, other), // wrong
		j.remove(ctx, other, place{}), j.remove(ctx, other, place{}), // wrong, then right
	} {
		j.count("wrong", err)
	}
	if got, want := j.result.Ops["wrong"], (Count{Refused: 1, Failed: 4}); got != want {
		t.Errorf("they are counted as %+v, want %+v: %q", got, want, j.result.Errors)
	}
}

func TestLedgerFollowsAFolderThatAnotherProcessMovedOrCleared(t *testing.T) {
	l := NewMemory()
	for i, slot := range []string{"a/x", "a/y", "ab/x", "c"} {
		if err := l.Put(t.Context(), slot, Version{1, uint64(i + 1)}); err != nil {
			t.Fatal(err)
		}
	}
	l.Move("a", "b")
	l.Move("c", "d")
	l.Clear("ab")
	want := map[string]Version{"b/x": {1, 1}, "b/y": {1, 2}, "d": {1, 4}}
	if diff := cmp.Diff(want, l.want); diff != "" {
		t.Errorf("the ledger: -want +got\n%s", diff)
	}
}
