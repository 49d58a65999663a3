package waitqueue_test

import (
	"fmt"

	"github.com/treelock/treelock/waitqueue"
)

// Three requests for one subtree: the late reader waits for its turn behind the writer.
func ExampleQueue() {
	var queue waitqueue.Queue[string]
	var writer, late waitqueue.Entry[string]

	fmt.Println(queue.Arrive(waitqueue.TR))
	fmt.Println(queue.Arrive(waitqueue.TW))
	queue.Wait(&writer, "writer", 2, waitqueue.TW)
	fmt.Println(queue.Arrive(waitqueue.TR))
	queue.Wait(&late, "late", 3, waitqueue.TR)

	for _, mode := range []waitqueue.Mode{waitqueue.TR, waitqueue.TW} {
		if queue.Leave(mode) {
			for _, admitted := range queue.Advance(mode, nil) {
				fmt.Println(admitted.Request())
			}
		}
	}
	// Output:
	// true
	// false
	// false
	// writer
	// late
}

// A holder of the whole tree narrows what it holds to a write of this node. The reader, which
// waited for the tree at an ancestor, waits at this node from then on.
func ExampleQueue_ForceAdmit() {
	var queue waitqueue.Queue[string]
	var reader waitqueue.Entry[string]

	queue.Arrive(waitqueue.NR)
	queue.ForceAdmit(waitqueue.NW)
	queue.Requeue(&reader, "reader", 2, 0, waitqueue.NR)

	queue.Leave(waitqueue.NW)
	for _, admitted := range queue.Advance(waitqueue.NW, nil) {
		fmt.Println(admitted.Request())
	}
	// Output: reader
}

func ExampleMode_Conflicts() {
	fmt.Println(waitqueue.TR.Conflicts(waitqueue.TR)) // two readers of a subtree
	fmt.Println(waitqueue.TR.Conflicts(waitqueue.IW)) // a reader of it, and a writer further down
	fmt.Println(waitqueue.NW.Conflicts(waitqueue.IW)) // a writer of the node alone, and one below
	// Output:
	// false
	// true
	// false
}

func ExampleMode_Intention() {
	fmt.Println(waitqueue.NW.Intention(), waitqueue.TR.Intention())
	// Output: IW IR
}

// A write of the subtree covers every other use of the node.
func ExampleModes_Combined() {
	var modes waitqueue.Modes
	modes = modes.With(waitqueue.IW).With(waitqueue.TR)
	fmt.Println(modes.Combined())
	fmt.Println(modes.With(waitqueue.TW).Combined())
	// Output:
	// IW+TR
	// TW
}
