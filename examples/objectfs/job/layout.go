package job

import "fmt"

const (
	slotsPerArea = 8
	archives     = 4  // where copies of whole areas go
	fewestFilled = 48 // so that clients do not all meet in the same few
)

// A place is a folder that operations act on: a slot, which holds one version of a tree, or an area or
// archive, which holds the slots below it. Places of one level have as many slots, in the same order.
type place struct {
	key   string
	slots []string // the keys of the slots in it, or its own
}

// A layout is all the places of a job, below its prefix.
type layout struct {
	slots    []place // all that are in areas, neighbours in different areas
	areas    []place
	archives []place
}

// newLayout makes place for n filled slots, and for half as many empty ones to rename and copy to.
func newLayout(prefix string, n int) layout {
	areas := (n + n/2 + slotsPerArea - 1) / slotsPerArea
	var l layout
	for i := range areas {
		l.areas = append(l.areas, newArea(fmt.Sprintf("%s/area-%02d", prefix, i)))
	}
	for i := range archives {
		l.archives = append(l.archives, newArea(fmt.Sprintf("%s/archive-%d", prefix, i)))
	}
	for i := range slotsPerArea {
		for _, area := range l.areas {
			key := area.slots[i]
			l.slots = append(l.slots, place{key, []string{key}})
		}
	}
	return l
}

func newArea(key string) place {
	area := place{key: key}
	for i := range slotsPerArea {
		area.slots = append(area.slots, fmt.Sprintf("%s/slot-%d", key, i))
	}
	return area
}

// everything returns the keys of all slots, those of archives included.
func (l layout) everything() []string {
	var keys []string
	for _, area := range append(l.areas[:len(l.areas):len(l.areas)], l.archives...) {
		keys = append(keys, area.slots...)
	}
	return keys
}
