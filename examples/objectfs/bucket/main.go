// Command bucket is command objectfs in a bucket named by a URL of gocloud.dev/blob: one of S3, or
// a folder of the file system. It is a module of its own, so that objectfs does not need the SDK of
// AWS.
//
//	go run ./examples/objectfs/bucket 's3://NAME?region=eu-central-1'
//	go run ./examples/objectfs/bucket 's3://NAME?region=eu-central-1&prefix=tests/' -ops 100
//	go run ./examples/objectfs/bucket 'file:///tmp/objects?create_dir=true&metadata=skip'
//
// A folder cannot hold an object "a" beside "a/b", which S3 can; objectfs makes no such objects. An
// empty folder with the name of the prefix stays behind there.
//
// All objects that it makes are below a new prefix, and it removes them at the end. Flags and exit
// codes are those of objectfs.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	_ "gocloud.dev/blob/fileblob" // file://
	_ "gocloud.dev/blob/s3blob"   // s3://

	"github.com/treelock/treelock/examples/objectfs/bucket/blobstore"
	"github.com/treelock/treelock/examples/objectfs/command"
)

// answerTime is how long the bucket may take to answer for the first time. The client tries for
// minutes.
const answerTime = 10 * time.Second

func main() {
	ctx := command.Interruptible(context.Background())
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run opens the bucket that the first of args names, and does the job that the others ask for.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	if len(args) == 0 || !strings.Contains(args[0], "://") {
		fmt.Fprintln(stderr, "usage: bucket 's3://NAME?region=REGION' [flags of objectfs]")
		fmt.Fprintln(stderr, "       bucket 'file:///FOLDER?create_dir=true' [flags of objectfs]")
		return command.ExitUsage
	}
	b, err := blobstore.Open(ctx, args[0], answerTime)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return command.ExitFailed
	}
	defer b.Close()
	return command.Run(ctx, b, args[1:], stdout, stderr)
}
