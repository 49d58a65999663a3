// Command nodes locks documents of tenants. Nodes need not be paths: any comparable type that knows
// its parent will do.
package main

import (
	"context"
	"fmt"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// A Node is a document, or all documents of a tenant if Document is zero.
type Node struct{ Tenant, Document int }

// Parent returns the tenant of a document. A tenant is a root.
func (n Node) Parent() (parent Node, ok bool) { return Node{Tenant: n.Tenant}, n.Document != 0 }

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.StartNodes[Node](ctx)
	read := func(n Node) treelock.Request[Node] { return treelock.Request[Node]{}.Read(n) }
	write := func(n Node) treelock.Request[Node] { return treelock.Request[Node]{}.Write(n) }
	edit := func(n Node) error {
		return m.Do(ctx, write(n), func(context.Context) error {
			fmt.Printf("tenant %d: document %d is edited\n", n.Tenant, n.Document)
			return nil
		})
	}

	// The export reads all documents of tenant 7. Edits of those wait, other tenants go on.
	export, err := m.Acquire(ctx, read(Node{Tenant: 7}))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("tenant 7: the export begins")
	waiting := make(chan error)
	go func() { waiting <- edit(Node{Tenant: 7, Document: 1}) }()
	if err := edit(Node{Tenant: 8, Document: 1}); err != nil {
		fmt.Println(err)
	}
	fmt.Println("tenant 7: the export ends")
	export.Release()
	if err := <-waiting; err != nil {
		fmt.Println(err)
	}
}
