// Package fuzz is where the guarantees of treelock are put to the proof.
package fuzz
