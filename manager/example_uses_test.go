package manager_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// Each operation on folders of an object store is one request. None needs the folders to exist.
func Example_folders() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx)

	for _, operation := range []struct {
		name string
		req  treelock.Request[treelock.Path]
	}{
		{"read a folder", treelock.Read("/photos")},
		{"write a file", treelock.Write("/photos/2024/cat.jpg")},
		{"delete a folder", treelock.Write("/photos/2023")},
		{"rename a folder", treelock.Write("/photos/new", "/photos/2025")},
		{"copy a folder", treelock.Read("/photos").Write("/backup")},
	} {
		err := m.Do(ctx, operation.req, func(context.Context) error {
			fmt.Printf("%s: %v\n", operation.name, operation.req)
			return nil
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// read a folder: read /photos
	// write a file: write /photos/2024/cat.jpg
	// delete a folder: write /photos/2023
	// rename a folder: write /photos/new, write /photos/2025
	// copy a folder: read /photos, write /backup
}

// A document is known by the ids of its tenant and its own; a tenant is document 0.
type document struct{ tenant, id int }

// Parent puts a document below its tenant. Tenants are roots.
func (d document) Parent() (document, bool) { return document{tenant: d.tenant}, d.id != 0 }

// Any comparable type that knows its parent can be locked.
func ExampleStartNodes() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.StartNodes[document](ctx)

	export := treelock.Request[document]{}.Read(document{tenant: 7}) // all its documents
	if _, err := m.TryAcquire(ctx, export); err != nil {
		fmt.Println(err)
	}
	for _, d := range []document{{tenant: 7, id: 1}, {tenant: 8, id: 1}} {
		_, err := m.TryAcquire(ctx, treelock.Request[document]{}.Write(d))
		fmt.Println(d, err == nil)
	}
	// Output:
	// {7 1} false
	// {8 1} true
}

// A process that restarts goes on above all tokens that it gave out.
func ExampleWithFirstToken() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx, manager.WithFirstToken(1001)) // 1000 was the last one stored

	grant, _ := m.TryAcquire(ctx, treelock.Write("/docs"))
	fmt.Println(grant.Token())
	// Output: 1001
}

func ExampleWithMaxWaiting() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx, manager.WithMaxWaiting(1))

	for range 3 { // one holds, one waits, one is refused
		_, err := m.Submit(ctx, treelock.Write("/docs"))
		fmt.Println(err == nil, errors.Is(err, treelock.ErrBusy))
	}
	// Output:
	// true false
	// true false
	// false true
}

// The limit also ends a cyclic Parent.
func ExampleWithMaxDepth() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.Start(ctx, manager.WithMaxDepth(3))

	for _, p := range []treelock.Path{"/a/b", "/a/b/c"} { // the root counts
		_, err := m.TryAcquire(ctx, treelock.Read(p))
		fmt.Println(p, errors.Is(err, treelock.ErrTooDeep))
	}
	// Output:
	// /a/b false
	// /a/b/c true
}
