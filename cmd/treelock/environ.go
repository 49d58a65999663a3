package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/treelock/treelock"
	"github.com/treelock/treelock/cmd/treelock/internal/paths"
	"github.com/treelock/treelock/cmd/treelock/internal/where"
)

// maxVariable is how long a variable may be. Linux allows 128 KiB with the name and a NUL byte.
const maxVariable = 128<<10 - 1

// pathsVariable returns the variable of the environment that says what is claimed.
func pathsVariable(claimed []paths.Claimed) string {
	claims := make([]claimInfo, len(claimed))
	for i, c := range claimed {
		claims[i] = infoOf(c.Claim)
	}
	list, err := json.Marshal(claims)
	if err != nil {
		panic(fmt.Sprintf("BUG: claims %v: %v", claims, err))
	}
	return "TREELOCK_PATHS=" + string(list)
}

// environ returns the environment of the command.
func environ(grant treelock.Grant[treelock.Path], s *where.Settings, claimed []paths.Claimed) []string {
	return append(os.Environ(),
		"TREELOCK_TOKEN="+strconv.FormatUint(grant.Token(), 10),
		pathsVariable(claimed),
		"TREELOCK_PREFIX="+s.Prefix,
		"TREELOCK_ETCD="+s.Etcd(),
		"TREELOCK_ROOT="+s.Root,
	)
}
