package manager_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// must returns v. It panics on an error, so that any goroutine may call it.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
