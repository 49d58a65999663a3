// Command treelock locks files and folders for scripts, CI jobs and agents, on one machine or many.
package main
