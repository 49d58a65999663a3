//go:build !race && !treelock_audit

package manager

const audited = false
