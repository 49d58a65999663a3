package waitqueue_test

import (
	"fmt"

	"github.com/treelock/treelock/waitqueue"
)

// Three requests for one subtree: the late reader waits for its turn behind the writer.
func ExampleQueue() {
	var queue waitqueue.Queue[string]
	var early, writer, late waitqueue.Entry[string]

	fmt.Println(queue.Arrive(&early, "early", 1, waitqueue.TR))
	fmt.Println(queue.Arrive(&writer, "writer", 2, waitqueue.TW))
	fmt.Println(queue.Arrive(&late, "late", 3, waitqueue.TR))

	fmt.Println(queue.Leave(&early, nil))
	fmt.Println(queue.Leave(&writer, nil))
	// Output:
	// true
	// false
	// false
	// [writer]
	// [late]
}

// A holder of the whole tree above narrows its hold to writing this node alone. The reader here had to wait for
// the tree; now it has to wait for the node.
func ExampleQueue_Hold() {
	var queue waitqueue.Queue[string]
	var reader, holder waitqueue.Entry[string]

	queue.Arrive(&reader, "reader", 2, waitqueue.NR)
	fmt.Println(queue.Hold(&holder, "holder", 1, waitqueue.NW, nil))
	fmt.Println(reader.Admitted())
	fmt.Println(queue.Leave(&holder, nil))
	// Output:
	// [reader]
	// false
	// [reader]
}

func ExampleMode_Conflicts() {
	fmt.Println(waitqueue.TR.Conflicts(waitqueue.TR)) // two readers of a subtree
	fmt.Println(waitqueue.TR.Conflicts(waitqueue.IW)) // a reader of it, and a writer further down
	fmt.Println(waitqueue.NW.Conflicts(waitqueue.IW)) // a writer of the node alone, and one further down
	// Output:
	// false
	// true
	// false
}

func ExampleMode_Intention() {
	fmt.Println(waitqueue.NW.Intention(), waitqueue.TR.Intention())
	// Output: IW IR
}

// Whoever writes the subtree needs no entry for anything else at the node.
func ExampleModes_Minimal() {
	var modes waitqueue.Modes
	modes = modes.With(waitqueue.IW).With(waitqueue.NR).With(waitqueue.TW)
	for rest := modes.Minimal(); rest != 0; rest = rest.Rest() {
		fmt.Println(rest.First())
	}
	// Output: TW
}
