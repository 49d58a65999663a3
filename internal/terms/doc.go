// Package terms says in the terms of the lock table what package treelock says of requests and
// paths: modes for claims, lineages for nodes, and a naming for paths. It is the one place where
// the two vocabularies meet, so that the lock table knows nothing of package treelock.
package terms
