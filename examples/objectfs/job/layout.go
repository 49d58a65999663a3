package job

import "fmt"

const (
	slotsPerArea = 8
	manyArchives = 4
	fewestFilled = 48 // so that clients do not all meet in the same few
)

// A place is a folder that operations act on: a slot, which holds one version of a tree, or an
// area, which holds the slots below it.
type place struct {
	key   string
	slots []string // the keys of the slots in it, or its own
}

// A layout is all places of a job, below its prefix.
type layout struct {
	slots    []place // those in areas, neighbours in different areas
	areas    []place
	archives []place // areas for copies of whole areas
	all      place   // has the slots of areas and archives
}

// newLayout has places for n filled slots, and for half as many empty ones to rename and copy to.
func newLayout(prefix string, n int) layout {
	l := layout{all: place{key: prefix}}
	for i := range (n + n/2 + slotsPerArea - 1) / slotsPerArea {
		l.areas = append(l.areas, l.newArea(fmt.Sprintf("%s/area-%02d", prefix, i)))
	}
	for i := range manyArchives {
		l.archives = append(l.archives, l.newArea(fmt.Sprintf("%s/archive-%d", prefix, i)))
	}
	for i := range slotsPerArea {
		for _, area := range l.areas {
			l.slots = append(l.slots, place{area.slots[i], area.slots[i : i+1]})
		}
	}
	return l
}

func (l *layout) newArea(key string) place {
	area := place{key: key}
	for i := range slotsPerArea {
		area.slots = append(area.slots, fmt.Sprintf("%s/slot-%d", key, i))
	}
	l.all.slots = append(l.all.slots, area.slots...)
	return area
}
