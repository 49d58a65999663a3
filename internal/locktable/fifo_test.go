package locktable

import (
	"runtime"
	"testing"
	"weak"
)

// What was taken out of a fifo is not kept in memory, neither in the part of the storage that is to be
// used again nor behind the elements that were moved to its front.
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
