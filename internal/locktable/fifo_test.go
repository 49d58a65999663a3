package locktable

import (
	"runtime"
	"testing"
	"weak"
)

// A fifo does not keep removed elements in memory: neither in storage that is to be reused, nor
// behind elements that were moved to the front.
func TestFifoForgetsWhatWasTaken(t *testing.T) {
	const many = 40
	var f fifo[*[64]byte]
	var all []weak.Pointer[[64]byte]
	for range many {
		e := new([64]byte)
		f.push(e)
		all = append(all, weak.Make(e))
	}
	for taken := range many {
		f.pop()
		runtime.GC()
		kept := 0
		for _, e := range all {
			if e.Value() != nil {
				kept++
			}
		}
		if kept != f.len() {
			t.Fatalf("after %d of %d were taken, %d are in memory, want %d", taken+1, many, kept, f.len())
		}
	}
	runtime.KeepAlive(&f)
}

// The storage of a fifo depends on the number of its elements, not on how many were pushed.
func TestFifoUsesItsStorageAgain(t *testing.T) {
	const inside, many = 10, 10_000
	var f fifo[int]
	for i := range many {
		f.push(i)
		if i >= inside && f.pop() != i-inside {
			t.Fatalf("pop() after %d were pushed is not the first", i+1)
		}
	}
	if cap(f.all) > 4*inside {
		t.Errorf("there is room for %d, want %d at most for %d", cap(f.all), 4*inside, inside)
	}
}

// A map that was remade is not remade again before it has been large again.
func TestShrunkMapIsSmall(t *testing.T) {
	m := map[int]int{1: 1}
	for range 2 {
		same, peak := shrink(m, minShrink-1)
		if same[2] = 2; m[2] != 2 || peak != minShrink-1 {
			t.Errorf("shrink remakes a map that has been small, or returns peak %d", peak)
		}
		smaller, peak := shrink(m, minShrink)
		if smaller[3] = 3; m[3] == 3 || peak != len(m) {
			t.Errorf("shrink does not remake a map that has been large, or returns peak %d", peak)
		}
	}
}
