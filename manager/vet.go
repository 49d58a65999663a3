package manager

import (
	"fmt"

	"github.com/treelock/treelock"
)

// vetter returns the function that says what is wrong with a node of type N, and whether the ancestors of
// a good node may still be bad.
func vetter[N treelock.Node[N]]() (vet func(N) error, ancestorsToo bool) {
	if vet, ok := any(vetPath).(func(N) error); ok {
		return vet, false
	}
	return vetValue[N], true
}

// vetPath refuses paths that are not canonical.
func vetPath(p treelock.Path) error {
	_, err := treelock.ParsePath(string(p))
	return err
}

// vetValue refuses values that cannot be found again in a map: a NaN is not equal to itself, and an
// interface may hold a value that == panics on.
func vetValue[N comparable](node N) (err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("%w (a %T)", treelock.ErrIncomparable, node)
		}
	}()
	if again := node; again != node {
		return fmt.Errorf("%w (a %T)", treelock.ErrIncomparable, node)
	}
	return nil
}
