package cluster

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// An attempt without an answer lets the next one have twice the time, and one that was refused does
// not.
func TestTimesOfAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const refused = 100
		var limits []time.Duration
		calls := 0
		got, err := attempts(t.Context(), clientv3.NewCtxClient(t.Context()), func(ctx context.Context) (int, error) {
			calls++
			end, _ := ctx.Deadline()
			limit := time.Until(end)
			switch {
			case calls <= refused:
				if limit != firstAttempt {
					t.Errorf("attempt %d has %v, want %v", calls, limit, firstAttempt)
				}
				return 0, status.Error(codes.Unavailable, "")
			case calls <= refused+10:
				limits = append(limits, limit)
				<-ctx.Done()
				return 0, ctx.Err()
			}
			return calls, nil
		}, ifUnavailable)
		if err != nil || got != refused+11 {
			t.Errorf("attempts = %d, %v, want %d", got, err, refused+11)
		}
		want := []time.Duration{firstAttempt, 1 * time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second,
			16 * time.Second, 32 * time.Second, lastAttempt, lastAttempt, lastAttempt}
		if !slices.Equal(limits, want) {
			t.Errorf("attempts without an answer have %v, want %v", limits, want)
		}
	})
}

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
