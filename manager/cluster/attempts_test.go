package cluster

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Of several copies of a call, what one is told says more than that another one is told nothing.
func TestAnswerCountsMoreThanSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused, turn := errors.New("refused"), make(chan bool, 2)
		turn <- true // one copy is answered
		turn <- false
		_, silent, err := try(t.Context(), time.Second, 2, func(ctx context.Context) (int, error) {
			if <-turn {
				return 0, refused
			}
			<-ctx.Done()
			return 0, ctx.Err()
		})
		if silent || err != refused {
			t.Errorf("try() = %v, silent %t; want %v, false", err, silent, refused)
		}
	})
}
