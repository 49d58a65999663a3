// Command several is command objectfs on several processes: workers rename, copy, read, overwrite
// and delete the folders of one bucket under the locks of package manager/cluster. Meanwhile one
// worker is killed with -9, and one is stopped for longer than its lease and continued. At the end
// every folder is compared with what it must hold.
//
//	go run ./examples/objectfs/several
//	go run ./examples/objectfs/several -locks=local       # each process by itself: the damage
//	go run ./examples/objectfs/several -workers 8 -seconds 60 -seed 2
//	go run ./examples/objectfs/several -etcd http://10.0.0.1:2379,http://10.0.0.2:2379 -prefix /test
//
// Without -etcd it runs an etcd server in a process of its own. In a server that was there, only
// the version of the format stays, below the prefix. Exit codes are those of objectfs. It is a
// module of its own, so that objectfs needs no etcd. Without SIGSTOP no worker is stopped.
//
// # The processes
//
// All processes are this program. The parent starts the workers and talks to them over their
// standard input and output. A worker ends when that ends, also by a crash of the parent. One more
// process, the janitor, then removes the folder of the parent, which has the bucket and the data of
// etcd.
//
//	worker --- requests, grants -----> etcd
//	   |
//	   +------ calls with a token ---> parent: guard --> bucket in a folder (file://)
//
// # What a lock cannot do, and tokens do
//
// A worker looks whether it still holds its grant before each call of the store. No lock helps if
// it is paused between that and the arrival of the call: its lease ends, another worker is granted
// the folder, and then the call arrives. So each call has the token of its grant. The parent, which
// serves the bucket, keeps the largest token of a reader and of a writer for each folder. It
// refuses a call whose token is smaller than one that it conflicts with. No token grows between the
// check and the effect of a call.
//
// This works because all calls go through one place that can compare and act in one step. A bucket
// alone cannot: it would need a conditional write for each object that compares the token, and a
// reader would have to leave a mark. A token is refused only after a later grant was used: until
// then a late call is seen by none but the process that takes the folder over. Tokens of different
// lock managers cannot be compared, so with -locks=local the guard lets everything pass. The tokens
// live as long as the parent: a store that outlives its process must keep them beside its objects.
//
// # What a dead process leaves behind
//
// A worker announces each operation to the parent before its first call, and ends it after its
// last. An operation whose folders another worker is granted with a larger token is over: it was
// left half done. The worker that is granted one of its folders takes it over first. It completes
// renames and deletions. It deletes what a copy or an overwrite has written, as the rest of the
// content is gone. An operation that no worker has met is named at the end, with its folders.
package main
