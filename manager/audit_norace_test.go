//go:build !race

package manager

const audited = false
