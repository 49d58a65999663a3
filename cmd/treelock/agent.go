package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
)

// agentName returns the name under which an agent holds what it reserves. Unlike that of other
// processes its default is the same for all processes of one worktree: treelock guard must find
// what treelock mcp holds.
func agentName(s *where.Settings) string {
	user, isDefault := strings.CutSuffix(s.Name, fmt.Sprintf(":%d", os.Getpid()))
	switch name := os.Getenv("TREELOCK_NAME"); {
	case !isDefault:
		return processName(s.Name)
	case name != "":
		return processName(name)
	}
	return worktreeName(user, s.Root)
}

// worktreeName returns the name of the user for a folder. If that is too long it has the end of the
// folder, and a hash instead of the beginning.
func worktreeName(user, folder string) string {
	name := user + ":" + folder
	if len(name) <= treelock.MaxLabel {
		return processName(name)
	}
	user = user[:min(len(user), treelock.MaxLabel/2)]
	hash := fmt.Sprintf("#%x", sha256.Sum256([]byte(name)))[:9]
	cut := len(folder) - min(len(folder), treelock.MaxLabel-len(user)-len(hash)-1)
	for cut < len(folder) && !utf8.RuneStart(folder[cut]) {
		cut++
	}
	return processName(user + ":" + hash + folder[cut:])
}

// processName returns a name as the other processes see it: see [cluster.WithName].
func processName(name string) string {
	return strings.ToValidUTF8(name[:min(len(name), treelock.MaxLabel)], "")
}
