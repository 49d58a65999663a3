package manager

import (
	"math"
	"math/bits"
)

// A Histogram counts values by their size, in powers of two.
type Histogram struct {
	// Counts[i] is the number of values below 1<<i that no bucket before it counts: 0 is in the
	// first, 1 in the second, 2 and 3 in the third. The last bucket also counts all larger values.
	Counts [32]uint64 `json:"counts"`
	Sum    uint64     `json:"sum"` // of all values
}

// add counts a value. On the manager goroutine. It allocates nothing, as each release calls it.
func (h *Histogram) add(value uint64) {
	h.Counts[min(bits.Len64(value), len(h.Counts)-1)]++
	h.Sum += value
}

// Count returns the number of values.
func (h Histogram) Count() (n uint64) {
	for _, count := range h.Counts {
		n += count
	}
	return n
}

// Quantile returns a bound below which at least the share q of the values lies, with q between 0
// and 1. The bound is at most twice the smallest such bound. It is 0 if there are no values, and
// the largest uint64 if it falls into the last bucket, which has no bound.
func (h Histogram) Quantile(q float64) uint64 {
	total := h.Count()
	if total == 0 {
		return 0
	}
	below := uint64(0)
	for i, count := range h.Counts[:len(h.Counts)-1] {
		below += count
		if float64(below) >= q*float64(total) {
			return 1 << i
		}
	}
	return math.MaxUint64
}
