package treelock_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/manager"
)

// Requests chain. What they ask for is granted together.
func Example() {
	rename := treelock.Write("/inbox/report.txt", "/archive/report.txt")
	publish := treelock.Read("/drafts").Write("/site").WriteNode("/log")
	fmt.Println(rename)
	fmt.Println(publish)
	// Output:
	// write /inbox/report.txt, write /archive/report.txt
	// read /drafts, write /site, write-node /log
}

func ExampleParsePath() {
	for _, s := range []string{"/docs/a.txt", "docs", "/docs/", "/docs//a.txt", "/docs/../etc"} {
		p, err := treelock.ParsePath(s)
		var refusal *treelock.PathError
		if errors.As(err, &refusal) {
			fmt.Printf("%q: %s\n", s, refusal.Rule)
			continue
		}
		fmt.Println(p)
	}
	// Output:
	// /docs/a.txt
	// "docs": it must start with "/"
	// "/docs/": it must not end with "/"
	// "/docs//a.txt": it must not have an empty name ("//")
	// "/docs/../etc": it must not have the name "." or ".."
}

func ExampleCleanPath() {
	fmt.Println(treelock.CleanPath("docs//drafts/../a.txt"))
	fmt.Println(treelock.CleanPath("../../etc"))
	fmt.Println(treelock.CleanPath(""))
	// Output:
	// /docs/a.txt
	// /etc
	// /
}

// Names of the operating system become paths of one tree, whatever they are relative to.
func ExampleFilePath() {
	repo, err := treelock.FilePath("repo")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range []string{"repo/src/main.go", "./repo/src/../README.md", "repo.old", ""} {
		p, err := treelock.FilePath(name)
		fmt.Println(repo.Contains(p), err)
	}
	// Output:
	// true <nil>
	// true <nil>
	// false <nil>
	// false treelock: path "" is refused: the name of a file must not be empty
}

// On a file system that ignores case, fold the path, not the name: the working directory is a part
// of it too. To fold both ways treats all letters as equal that some file system may. It may treat
// more as equal, which makes requests wait for one another without need, and is safe. Packages
// golang.org/x/text/cases and golang.org/x/text/unicode/norm know more, such as normal forms.
func ExampleFilePath_ignoringCase() {
	fold := func(name string) (treelock.Path, error) {
		p, err := treelock.FilePath(name)
		return treelock.Path(strings.ToLower(strings.ToUpper(string(p)))), err
	}
	a, err := fold("Docs/ReadMe.txt")
	b, err2 := fold("docs/README.TXT")
	fmt.Println(a == b, err, err2)
	// Output: true <nil> <nil>
}

// An object store keeps keys apart that a file system would not.
func ExamplePathOf() {
	for _, key := range []string{"a/b", "a//b", "a/../b", "50%"} {
		fmt.Println(treelock.PathOf(strings.Split(key, "/")...))
	}
	fmt.Println(treelock.PathOf("one/name"))
	// Output:
	// /a/b
	// /a/%/b
	// /a/%2E%2E/b
	// /50%25
	// /one%2Fname
}

func ExamplePath_Unescape() {
	names, err := treelock.PathOf("a", "..", "", "b/c").Unescape()
	fmt.Printf("%q %v\n", names, err)

	_, err = treelock.Path("/50%").Unescape() // PathOf would have made it "/50%25"
	fmt.Println(err)
	// Output:
	// ["a" ".." "" "b/c"] <nil>
	// treelock: path "/50%" is refused: it has a name that PathOf does not build
}

func ExamplePath_Parent() {
	for p, ok := treelock.Path("/docs/drafts/a.txt"), true; ok; p, ok = p.Parent() {
		fmt.Println(p)
	}
	// Output:
	// /docs/drafts/a.txt
	// /docs/drafts
	// /docs
	// /
}

func ExamplePath_Contains() {
	docs := treelock.Path("/docs")
	for _, p := range []treelock.Path{"/docs", "/docs/drafts/a.txt", "/docs.old", "/"} {
		fmt.Println(p, docs.Contains(p))
	}
	// Output:
	// /docs true
	// /docs/drafts/a.txt true
	// /docs.old false
	// / false
}

func ExamplePath_Names() {
	fmt.Printf("%q\n", slices.Collect(treelock.Path("/docs/drafts/a.txt").Names()))
	// Output: ["docs" "drafts" "a.txt"]
}

// A read of a folder shares it, and all that is and ever will be below it, with other readers.
func ExampleRead() {
	fmt.Println(treelock.Read("/docs", "/photos"))
	// Output: read /docs, read /photos
}

// A write of a folder has it, and all that is and ever will be below it, to itself.
func ExampleWrite() {
	fmt.Println(treelock.Write("/docs"))
	// Output: write /docs
}

// To read a node alone is enough to list a folder while others write the files in it.
func ExampleReadNode() {
	fmt.Println(treelock.ReadNode("/docs"))
	// Output: read-node /docs
}

// To write a node alone is enough to change a folder's own settings while others use the files in
// it.
func ExampleWriteNode() {
	fmt.Println(treelock.WriteNode("/docs"))
	// Output: write-node /docs
}

// The methods return a new request and leave their receiver as it was, so that requests can share a
// beginning.
func ExampleRequest() {
	logged := treelock.WriteNode("/log")
	fmt.Println(logged.Write("/a"))
	fmt.Println(logged.Read("/b").ReadNode("/"))
	fmt.Println(logged)
	// Output:
	// write-node /log, write /a
	// write-node /log, read /b, read-node /
	// write-node /log
}

// A chain for nodes that are no paths begins with For.
func ExampleFor() {
	req := treelock.For[document]().Write(document{folder: 7, id: 1}).ReadNode(document{folder: 7})
	fmt.Println(req)
	// Output: write {7 1}, read-node {7 0}
}

// With takes claims that the program made itself: here of all that two requests ask for.
func ExampleRequest_With() {
	copying, logging := treelock.Read("/src").Write("/dst"), treelock.WriteNode("/log")
	both := copying.With(slices.Collect(logging.Claims())...)
	fmt.Println(both)
	// Output: read /src, write /dst, write-node /log
}

// A tag leads from a request back to what the program made it for.
func ExampleRequest_Tagged() {
	type job struct{ id int }
	req := treelock.Write("/docs").Tagged(&job{id: 17})
	if j, ok := req.Tag().(*job); ok {
		fmt.Println(j.id, req)
	}
	// Output: 17 write /docs
}

func ExampleRequest_Claims() {
	req := treelock.Read("/src").Write("/dst")
	for claim := range req.Claims() {
		fmt.Println(claim.Node, claim.Access == treelock.Exclusive)
	}
	fmt.Println(req.Len())
	// Output:
	// /src false
	// /dst true
	// 2
}

// A claim covers what its holder may hand on, or narrow to.
func ExampleClaim_Covers() {
	docs := treelock.Claim[treelock.Path]{Node: "/docs", Access: treelock.Exclusive}
	for claim := range treelock.Read("/docs/a.txt").Write("/docs", "/photos").ReadNode("/").Claims() {
		fmt.Println(claim, docs.Covers(claim))
	}
	// Output:
	// read /docs/a.txt true
	// write /docs true
	// write /photos false
	// read-node / false
}

func ExampleClaim_Conflicts() {
	reading := treelock.Claim[treelock.Path]{Node: "/docs"}
	for claim := range treelock.Read("/docs").Write("/docs/a.txt", "/photos").WriteNode("/").Claims() {
		fmt.Println(claim, reading.Conflicts(claim))
	}
	// Output:
	// read /docs false
	// write /docs/a.txt true
	// write /photos false
	// write-node / false
}

// A program that plans its work can tell which of its requests may run at the same time.
func ExampleRequest_Conflicts() {
	backup := treelock.Read("/docs", "/photos")
	fmt.Println(backup.Conflicts(treelock.Write("/inbox", "/photos/2024")))
	fmt.Println(backup.Conflicts(treelock.Write("/inbox").Read("/photos/2024")))
	// Output:
	// true
	// false
}

// A document is known by its id and that of its folder. The id 0 means the folder itself.
type document struct{ folder, id int }

// Parent makes a document a node: it lies below its folder, and folders lie below nothing.
func (d document) Parent() (document, bool) {
	if d.id == 0 {
		return document{}, false
	}
	return document{folder: d.folder}, true
}

// A manager of keys is a keyed lock.
func ExampleKey() {
	type user = treelock.Key[string]
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := manager.StartNodes[user](ctx)

	alice, err := m.Acquire(ctx, treelock.For[user]().Write(user{Value: "alice"}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer alice.Release()

	for _, name := range []string{"alice", "bob"} {
		grant, err := m.TryAcquire(ctx, treelock.For[user]().Write(user{Value: name}))
		fmt.Println(name, errors.Is(err, treelock.ErrConflict))
		grant.Release()
	}
	// Output:
	// alice true
	// bob false
}

// Any comparable type that knows its parent can be a node.
func ExampleNode() {
	req := treelock.For[document]().Write(document{folder: 7, id: 1}).Read(document{folder: 8})
	fmt.Println(req)
	// Output: write {7 1}, read {8 0}
}
